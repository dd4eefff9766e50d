"""What archived documents are worth, now and years later, and that whatever happens to them is called what it is."""

import random
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from io import BytesIO

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from lxml import etree
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from services.means.judging.archived import ENCAPSULATED_TIMESTAMP
from services.means.validation_data import ValidationData
from services.signing import pdf, xml, xml_archive
from services.signing.verify import Verdict, as_issued, verify_pdf, verify_xml
from services.signing.xml import UnsuitableDocument
from tests.unit.signing.chain import MATHS
from tests.unit.signing.sealed import NOW, PLACES, YEAR, Sandbox, der
from tests.unit.signing.test_xml_archive import renew

SOON, LATER = NOW + timedelta(minutes=50), NOW + 2 * YEAR
FLIPS = 60


def judge(
    verify: Callable[..., list[Verdict]], sandbox: Sandbox, document: bytes, at: datetime, crls: Sequence[bytes] = ()
) -> list[Verdict]:
    return verify(document, sandbox.roots, crls, at)


def problems(verdicts: Sequence[Verdict]) -> dict[str, list[str]]:
    return {verdict.place: [problem.code for problem in verdict.problems] for verdict in verdicts if verdict.problems}


def seal(kind: str, sandbox: Sandbox, data: ValidationData | None = None) -> bytes:
    return sandbox.sealed_xml(data=data) if kind == "xml" else sandbox.sealed_pdf(data=data)


VERIFY = {"xml": verify_xml, "pdf": verify_pdf}
both = pytest.mark.parametrize("kind", ["xml", "pdf"])


@both
@pytest.mark.parametrize("at", [SOON, LATER])
def test_an_archived_document_stays_valid_after_its_signers_certificates_have_ended(kind: str, at: datetime, sandbox: Sandbox) -> None:
    document = as_issued(judge(VERIFY[kind], sandbox, seal(kind, sandbox), at))

    assert document.valid
    assert document.level == "LTA"
    assert {(one.level, one.trust, one.revocation) for one in document.signatures} == {("LTA", "trusted", "good")}
    assert all(one.proved_at is not None and NOW <= one.proved_at <= SOON for one in document.signatures)


@both
def test_a_document_that_was_not_archived_proves_nothing_later(kind: str, sandbox: Sandbox) -> None:
    bare = sandbox.signed_xml() if kind == "xml" else sandbox.signed_pdf()

    now, later = (as_issued(judge(VERIFY[kind], sandbox, bare, at)) for at in (SOON, LATER))

    assert all(one.valid and one.level == "B" and one.proved_at is None for one in now.signatures)
    assert [problem.code for problem in now.problems] == ["not_archived"]
    assert {one.trust for one in later.signatures} == {"expired"}


@both
def test_what_is_wrong_with_a_certificate_is_not_written_to_the_log(kind: str, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    judge(VERIFY[kind], sandbox, sandbox.signed_xml() if kind == "xml" else sandbox.signed_pdf(), LATER)

    assert "031180000003" not in caplog.text


@both
def test_a_certificate_revoked_after_the_proof_stays_good_and_one_revoked_before_is_revoked(kind: str, sandbox: Sandbox) -> None:
    after, before = (sandbox.party(name, "031180000004") for name in ("Thu hồi sau", "Thu hồi trước"))
    documents = [(who, seal(kind, sandbox.with_people({"CBQL": who}))) for who in (after, before)]
    sandbox.revoke(after.der, NOW + timedelta(days=2))
    sandbox.revoke(before.der, NOW - timedelta(minutes=5))

    kept, lost = (
        {one.place: one for one in judge(VERIFY[kind], sandbox, document, NOW + timedelta(days=3), sandbox.crls)}
        for _, document in documents
    )

    assert (kept["CBQL"].trust, kept["CBQL"].valid, kept["CBQL"].level) == ("trusted", True, "LTA")
    assert (lost["CBQL"].trust, lost["CBQL"].revocation, lost["CBQL"].valid) == ("revoked", "revoked", False)
    assert lost["GVCN"].valid


@both
def test_a_revocation_in_the_archived_data_is_believed_for_ever(kind: str, sandbox: Sandbox) -> None:
    who = sandbox.party("Thu hồi rồi", "031180000004")
    sandbox.revoke(who.der, NOW - timedelta(minutes=5))

    verdicts = {one.place: one for one in judge(VERIFY[kind], sandbox, seal(kind, sandbox.with_people({"CBQL": who})), LATER)}

    assert verdicts["CBQL"].trust == "revoked"
    assert verdicts["KY_PHAT_HANH"].valid


@both
def test_responses_and_lists_of_another_authority_prove_nothing(kind: str, sandbox: Sandbox, stranger: Sandbox) -> None:
    verdicts = judge(VERIFY[kind], sandbox, seal(kind, sandbox, stranger.data()), SOON)

    assert {(one.level, one.revocation) for one in verdicts} == {("T", "unknown")}


@both
def test_a_responder_may_not_answer_with_a_certificate_for_something_else(kind: str, sandbox: Sandbox) -> None:
    fake = sandbox.responder(ExtendedKeyUsageOID.TIME_STAMPING)
    data = ValidationData(ocsps=tuple(sandbox.ocsp(who.der, fake) for who in sandbox.people.values()), crls=sandbox.crls[:1])

    verdicts = judge(VERIFY[kind], sandbox, seal(kind, sandbox, data), SOON)

    assert {(one.level, one.revocation) for one in verdicts} == {("T", "unknown")}


def test_lists_alone_are_enough(sandbox: Sandbox) -> None:
    for kind in ("xml", "pdf"):
        verdicts = judge(VERIFY[kind], sandbox, seal(kind, sandbox, ValidationData(crls=sandbox.crls)), LATER)
        assert {(one.level, one.valid) for one in verdicts} == {("LTA", True)}


def test_the_level_says_how_far_the_evidence_reaches(sandbox: Sandbox) -> None:
    signed = sandbox.signed_xml()
    token = sandbox.token(xml_archive.value_digest(signed))
    steps = [signed, *(xml_archive.prepare(signed, token, data).document for data in (ValidationData(), sandbox.data()))]

    levels = [as_issued(judge(verify_xml, sandbox, document, SOON)).level for document in (*steps, sandbox.sealed_xml(signed))]

    assert levels == ["B", "T", "LT", "LTA"]


def test_a_signature_timestamp_alone_keeps_a_signature_beyond_its_certificate(sandbox: Sandbox) -> None:
    signed = sandbox.signed_xml()
    prepared = xml_archive.prepare(signed, sandbox.token(xml_archive.value_digest(signed)), sandbox.data())

    assert all(one.valid and one.level == "LT" for one in judge(verify_xml, sandbox, prepared.document, LATER))


@both
def test_proof_ends_with_the_timestamping_units_certificate_unless_renewed_before(kind: str, sandbox: Sandbox) -> None:
    brief = sandbox.stamper(days=3)
    sealed = sandbox.sealed_xml(stamper=brief) if kind == "xml" else sandbox.sealed_pdf(stamper=brief)
    of_unit = ValidationData(certificates=(der(brief.certificate),), ocsps=(sandbox.ocsp(der(brief.certificate)),), crls=sandbox.crls)
    renewed = renew(sandbox, sealed, of_unit) if kind == "xml" else sandbox.sealed_pdf(sealed, of_unit)

    short = [judge(VERIFY[kind], sandbox, sealed, at) for at in (NOW + timedelta(days=2), NOW + timedelta(days=4), LATER)]
    long = judge(VERIFY[kind], sandbox, renewed, LATER)

    assert [{(one.valid, one.level, one.trust) for one in verdicts} for verdicts in short] == [
        {(True, "LTA", "trusted")},
        {(True, "B", "trusted")},
        {(False, "B", "expired")},
    ]
    assert {(one.valid, one.level) for one in long} == {(True, "LTA")}


# timestamps


@both
@pytest.mark.parametrize("fault", ["foreign", "damaged", "of another usage", "of a revoked unit"])
def test_a_timestamp_that_cannot_be_relied_on_is_called_so(kind: str, fault: str, sandbox: Sandbox, stranger: Sandbox) -> None:
    unit = sandbox.stamper(
        days=30, usage=ExtendedKeyUsageOID.CODE_SIGNING if fault == "of another usage" else ExtendedKeyUsageOID.TIME_STAMPING
    )
    if fault == "of a revoked unit":
        sandbox.revoke(der(unit.certificate), NOW - timedelta(minutes=5))
    token: Callable[[bytes], bytes] = {
        "foreign": partial(stranger.token, stamper=None),
        "damaged": partial(sandbox.token, damaged=True),
        "of another usage": partial(sandbox.token, stamper=unit),
        "of a revoked unit": partial(sandbox.token, stamper=unit),
    }[fault]
    document = sandbox.sealed_xml(token=token) if kind == "xml" else sandbox.sealed_pdf(token=token)

    verdicts = judge(VERIFY[kind], sandbox, document, SOON, sandbox.crls)

    assert problems(verdicts) == {place: ["timestamp"] for place in (["KY_PHAT_HANH"] if kind == "xml" else pdf.FIELDS)}
    assert {(one.intact, one.level, one.proved_at) for one in verdicts} == {(True, "B", None)}


def test_a_timestamp_taken_from_another_document_is_called_so(sandbox: Sandbox, sealed_xml: bytes) -> None:
    own, other = (etree.fromstring(document).findall(f".//{ENCAPSULATED_TIMESTAMP}") for document in (sealed_xml, sandbox.sealed_xml()))

    for mine, foreign in zip(own, other, strict=True):
        document = sealed_xml.replace((mine.text or "").encode(), (foreign.text or "").encode())
        assert problems(judge(verify_xml, sandbox, document, SOON)) == {"KY_PHAT_HANH": ["timestamp"]}


@pytest.mark.parametrize("part", ["EncapsulatedOCSPValue", "EncapsulatedCRLValue"])
def test_validation_data_changed_under_the_archive_timestamp_is_noticed(part: str, sandbox: Sandbox, sealed_xml: bytes) -> None:
    start, end = sealed_xml.index(f"<xades:{part}>".encode()), sealed_xml.index(f"</xades:{part}>".encode()) + len(part) + 9

    for document in (sealed_xml[:start] + sealed_xml[end:], sealed_xml[: end - 40] + b"AAAA" + sealed_xml[end - 36 :]):
        verdicts = judge(verify_xml, sandbox, document, SOON)
        assert problems(verdicts) == {"KY_PHAT_HANH": ["timestamp"]}


def test_a_timestamp_with_a_changed_time_is_called_so(sandbox: Sandbox, sealed_xml: bytes) -> None:
    token = etree.fromstring(sealed_xml).findall(f".//{ENCAPSULATED_TIMESTAMP}")[-1].text or ""
    year = f"{NOW:%Y}".encode()
    earlier = b64encode(b64decode(token).replace(year + f"{NOW:%m}".encode(), b"2020" + f"{NOW:%m}".encode(), 1)).decode()
    assert earlier != token

    assert problems(judge(verify_xml, sandbox, sealed_xml.replace(token.encode(), earlier.encode()), SOON)) == {
        "KY_PHAT_HANH": ["timestamp"]
    }


# what was added, changed, taken out


def test_an_element_added_beside_or_among_the_signatures_is_called_added(sandbox: Sandbox, sealed_xml: bytes) -> None:
    extra = b"<GhiChu>9.9</GhiChu>"
    for document in (
        sealed_xml.replace(b"<ChuKy ", extra + b"<ChuKy "),
        sealed_xml.replace(b"</HocBa>", extra + b"</HocBa>"),
        sealed_xml.replace(b"</ChuKy>", extra + b"</ChuKy>"),
        sealed_xml.replace(b'<ChuKy Id="ck">', b'<ChuKy Id="ck">' + extra),
    ):
        verdicts = judge(verify_xml, sandbox, document, SOON)
        assert problems(verdicts) == {"KY_PHAT_HANH": ["added_afterwards"]}
        assert [one.intact for one in verdicts] == [True] * 4 + [False]


def test_an_element_added_before_the_school_has_signed_makes_no_transcript(sandbox: Sandbox) -> None:
    with pytest.raises(UnsuitableDocument):
        judge(verify_xml, sandbox, sandbox.signed_xml(PLACES[:4]).replace(b"</ChuKy>", b"<GhiChu/></ChuKy>"), SOON)


def test_a_signature_added_to_an_archived_document_is_called_added(sandbox: Sandbox, sealed_xml: bytes) -> None:
    who = sandbox.people["CBQL"]
    late = xml.prepare(sealed_xml, signature_id="THEM", covers=["nd"], certificate=who.der, chain=who.chain, signed_at=NOW, role="")
    document = as_issued(judge(verify_xml, sandbox, xml.assemble(sealed_xml, [xml.finish(late, who.sign(late.digest), who.der)]), SOON))

    assert problems(document.signatures) == {"KY_PHAT_HANH": ["added_afterwards"]}
    assert [problem.code for problem in document.problems] == ["added_signature", "not_archived"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</xades:UnsignedSignatureProperties>", b"<xades:GhiChu></xades:GhiChu></xades:UnsignedSignatureProperties>"),
        (b"</xades:UnsignedSignatureProperties>", b"9.9</xades:UnsignedSignatureProperties>"),
        (b"</ds:Signature></ChuKy>", b"<ds:Object>9.9</ds:Object></ds:Signature></ChuKy>"),
        (b"UnsignedSignatureProperties>", b"OtherProperties>"),
        (b"ArchiveTimeStamp", b"OtherTimeStamp"),
    ],
)
def test_anything_else_in_the_school_signatures_uncovered_part_is_called_added(
    old: bytes, new: bytes, sandbox: Sandbox, sealed_xml: bytes
) -> None:
    verdicts = judge(verify_xml, sandbox, sealed_xml.replace(old, new), SOON)

    assert problems(verdicts) == {"KY_PHAT_HANH": ["added_afterwards"]}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (MATHS, {place: ["missing_part"] for place in ("GVCN", "CBQL", "KY_PHAT_HANH")}),
        ("GVCN", {place: ["missing_part"] for place in ("CBQL", "KY_PHAT_HANH")}),
        ("CBQL", {"KY_PHAT_HANH": ["missing_part"]}),
        ("KY_PHAT_HANH", {}),
    ],
)
def test_a_removed_signature_is_missed_by_all_that_covered_it(
    place: str, expected: dict[str, list[str]], sandbox: Sandbox, sealed_xml: bytes
) -> None:
    root = etree.fromstring(sealed_xml)
    root[1].remove(next(one for one in root[1] if one.get("Id") == place))

    document = as_issued(judge(verify_xml, sandbox, etree.tostring(root), SOON))

    assert problems(document.signatures) == expected
    assert not document.valid
    if place == "KY_PHAT_HANH":
        assert [problem.code for problem in document.problems] == ["missing_last", "not_archived"]


def test_a_mark_changed_in_an_archived_document_is_called_changed(sandbox: Sandbox, sealed_xml: bytes) -> None:
    verdicts = judge(verify_xml, sandbox, sealed_xml.replace(b"<Diem>3</Diem>", b"<Diem>9</Diem>"), SOON)

    assert problems(verdicts) == {place: ["changed"] for place in PLACES}
    assert {(one.level, one.proved_at) for one in verdicts} == {("B", None)}


def test_a_revision_added_to_an_archived_pdf_is_called_added(sandbox: Sandbox, sealed_pdf: bytes) -> None:
    writer, output = IncrementalPdfFileWriter(BytesIO(sealed_pdf)), BytesIO()
    page = writer.root["/Pages"]["/Kids"][0]
    page[pdf_name("/Contents")] = writer.root["/Pages"]["/Kids"][1]["/Contents"]
    writer.update_container(page)
    writer.write(output)  # type: ignore[no-untyped-call] # pyHanko leaves it untyped

    verdicts = judge(verify_pdf, sandbox, output.getvalue(), SOON)

    assert problems(verdicts) == {place: ["added_afterwards"] for place in pdf.FIELDS}


def test_a_byte_changed_in_an_archived_pdf_is_called_changed(sandbox: Sandbox, sealed_pdf: bytes) -> None:
    verdicts = judge(verify_pdf, sandbox, sealed_pdf.replace(b"(Typst", b"(Tapst", 1), SOON)

    assert {tuple(found) for found in problems(verdicts).values()} == {("changed",)}
    assert {one.level for one in verdicts} == {"B"}


def test_a_pdf_cut_back_to_an_earlier_revision_lacks_what_came_after(sandbox: Sandbox, sealed_pdf: bytes) -> None:
    ends = [one.byte_range[2] + one.byte_range[3] for one in PdfFileReader(BytesIO(sealed_pdf)).embedded_signatures]

    documents = [as_issued(judge(verify_pdf, sandbox, sealed_pdf[:end], SOON)) for end in ends]

    assert all(one.valid for document in documents for one in document.signatures)
    assert [[problem.code for problem in document.problems] for document in documents] == [
        ["missing_last", "not_archived"],
        ["missing_last", "not_archived"],
        ["not_archived"],
        [],
    ]


# no byte can change unnoticed


def flipped(document: bytes, allowed: Sequence[range], seed: int) -> list[bytes]:
    places = [place for part in allowed for place in part]
    return [document[:place] + bytes([document[place] ^ 1]) + document[place + 1 :] for place in random.Random(seed).sample(places, FLIPS)]


def noticed(verify: Callable[..., list[Verdict]], sandbox: Sandbox, document: bytes) -> bool:
    try:
        return not as_issued(judge(verify, sandbox, document, SOON)).valid
    except UnsuitableDocument:
        return True


def test_no_flipped_bit_of_an_archived_xml_leaves_every_signature_valid(sandbox: Sandbox, sealed_xml: bytes) -> None:
    # up to the last token, of which only what it says of time and imprint and its signature count (as tried above)
    significant = range(sealed_xml.index(b"<HocBa"), sealed_xml.rindex(b"<xades:EncapsulatedTimeStamp>"))

    assert all(noticed(verify_xml, sandbox, document) for document in flipped(sealed_xml, [significant], seed=1))


def test_no_flipped_bit_of_an_archived_pdf_leaves_every_signature_valid(sandbox: Sandbox, sealed_pdf: bytes) -> None:
    start, length, again, rest = PdfFileReader(BytesIO(sealed_pdf)).embedded_signatures[-1].byte_range

    covered = [range(start, start + length), range(again, again + rest)]
    assert all(noticed(verify_pdf, sandbox, document) for document in flipped(sealed_pdf, covered, seed=2))
