from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from lxml import etree
from pyhanko.pdf_utils.generic import TextStringObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from services.signing import pdf, xml
from services.signing.verify import Verdict, verify_pdf, verify_xml
from services.signing.xml import DS, UnsuitableDocument
from tests.unit.signing import chain, pki
from tests.unit.signing.chain import LITERATURE, MATHS
from tests.unit.signing.pki import AT

PLACES = [MATHS, LITERATURE, "GVCN", "CBQL", "KY_PHAT_HANH"]


def judge_xml(document: bytes, crls: tuple[bytes, ...] = ()) -> dict[str, Verdict]:
    return {verdict.place: verdict for verdict in verify_xml(document, [pki.root()], crls, AT)}


def judge_pdf(document: bytes, crls: tuple[bytes, ...] = ()) -> dict[str, Verdict]:
    return {verdict.place: verdict for verdict in verify_pdf(document, [pki.root()], crls, AT)}


def codes(verdict: Verdict) -> list[str]:
    return [problem.code for problem in verdict.problems]


def appended(document: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    writer, output = IncrementalPdfFileWriter(BytesIO(document)), BytesIO()
    change(writer)
    writer.write(output)  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
    return output.getvalue()


def test_every_xml_signature_of_a_whole_chain_is_valid_and_says_what_it_covers() -> None:
    verdicts = judge_xml(chain.signed_xml())

    assert list(verdicts) == PLACES
    assert all(verdict.valid for verdict in verdicts.values())
    assert verdicts[MATHS].covers == ("nd",)
    assert verdicts["GVCN"].covers == ("nd", f"{MATHS}-sv", f"{LITERATURE}-sv")
    assert [verdict.coverage for verdict in verdicts.values()] == ["content"] * 4 + ["whole"]


def test_a_verdict_names_the_signer_role_time_and_certificate() -> None:
    verdict = judge_xml(chain.signed_xml())[MATHS]

    assert (verdict.signer, verdict.personal_id, verdict.tax_code) == ("Trần Thị Toán", "031180000001", None)
    assert (verdict.role, verdict.signed_at, verdict.scheme) == ("Giáo viên bộ môn: Toán, Tiếng Anh", AT, "rsa-pkcs1")
    assert verdict.certificate == chain.people()[MATHS].der
    assert judge_xml(chain.signed_xml())["KY_PHAT_HANH"].tax_code == "0200000001"


def test_every_pdf_signature_of_a_whole_chain_is_valid() -> None:
    verdicts = judge_pdf(chain.signed_pdf())

    assert list(verdicts) == list(pdf.FIELDS)
    assert all(verdict.valid for verdict in verdicts.values())
    assert [verdict.coverage for verdict in verdicts.values()] == ["revision", "revision", "whole"]
    assert [verdict.scheme for verdict in verdicts.values()] == ["rsa-pkcs1", "ecdsa", "rsa-pss"]
    assert [verdict.role for verdict in verdicts.values()] == [chain.ROLES[place] for place in pdf.FIELDS]
    assert {verdict.signed_at for verdict in verdicts.values()} == {AT}


def test_a_document_without_signatures_has_no_verdicts() -> None:
    assert verify_xml(pki.transcript_xml(), [pki.root()], (), AT) == []
    assert verify_pdf(pki.transcript_pdf(), [pki.root()], (), AT) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<Diem>3</Diem>", b"<Diem>9</Diem>"),
        (b"</NoiDung>", b'<Mon ma="M99"><Diem>9</Diem></Mon></NoiDung>'),
        (b'<NoiDung Id="nd">', b'<NoiDung Id="nd" ghiChu="a">'),
    ],
)
def test_changed_content_is_called_changed_for_every_signature(old: bytes, new: bytes) -> None:
    verdicts = judge_xml(chain.signed_xml().replace(old, new, 1))

    assert [(verdict.intact, codes(verdict)) for verdict in verdicts.values()] == [(False, ["changed"])] * 5
    assert {verdict.role for verdict in verdicts.values()} == {None}


def test_a_change_beside_the_content_is_seen_by_the_school_signature() -> None:
    verdicts = judge_xml(chain.signed_xml().replace(b'phienBan="1.0"', b'phienBan="2.0"'))

    assert [place for place, verdict in verdicts.items() if not verdict.valid] == ["KY_PHAT_HANH"]


def test_taking_out_one_subject_signature_breaks_all_later_ones() -> None:
    verdicts = judge_xml(chain.signed_xml().replace(chain.subject_signatures()[LITERATURE], b""))

    assert verdicts[MATHS].valid
    assert [codes(verdicts[place]) for place in ("GVCN", "CBQL", "KY_PHAT_HANH")] == [["missing_part"]] * 3


def test_a_signature_added_after_the_school_is_seen() -> None:
    late = chain.prepare_xml(pki.transcript_xml(), "CBQL", ["nd"]).model_copy(update={"signature_id": "CBQL"})
    document = xml.assemble(pki.transcript_xml(), list(chain.subject_signatures().values()))
    document = chain.sign_xml(document, "KY_PHAT_HANH", xml.WHOLE)

    verdicts = judge_xml(xml.assemble(document, [chain.finish_xml(late)]))

    assert verdicts["CBQL"].valid
    assert codes(verdicts["KY_PHAT_HANH"]) == ["added_afterwards"]


def test_a_value_of_another_signature_is_called_wrong() -> None:
    document = chain.signed_xml()
    values = [node.text or "" for node in etree.fromstring(document).iter(f"{{{DS}}}SignatureValue")]

    verdicts = judge_xml(document.replace(values[0].encode(), values[2].encode(), 1))

    assert codes(verdicts[MATHS]) == ["wrong_value"]
    assert codes(verdicts["GVCN"]) == ["changed"]


def test_a_changed_role_or_time_is_seen() -> None:
    for old, new in ((b"Hi\xe1\xbb\x87u tr\xc6\xb0\xe1\xbb\x9fng", b"Ph\xc3\xb3"), (b"2026-05-30T02", b"2026-05-29T02")):
        signature = chain.signed_xml().rindex(b'Id="CBQL"')
        head, tail = chain.signed_xml()[:signature], chain.signed_xml()[signature:]

        verdict = judge_xml(head + tail.replace(old, new, 1))["CBQL"]

        assert codes(verdict) == ["changed"]


def test_signed_content_moved_aside_is_no_transcript() -> None:
    document = chain.signed_xml()
    start, end = document.index(b"<NoiDung"), document.index(b"</NoiDung>") + len(b"</NoiDung>")
    content = document[start:end]
    forged = content.replace(b"<Diem>3</Diem>", b"<Diem>9</Diem>", 1)

    for wrapped in (
        document.replace(content, forged + content),
        document.replace(content, forged.replace(b' Id="nd"', b"") + b"<ChuKy/>" + content),
        document.replace(content, forged.replace(b' Id="nd"', b' id="nd"')).replace(b"</ds:Signature>", content + b"</ds:Signature>", 1),
        document.replace(content, forged).replace(b"</ChuKy>", content + b"</ChuKy>"),
    ):
        with pytest.raises(UnsuitableDocument):
            judge_xml(wrapped)


def test_a_comment_that_would_split_a_mark_is_refused() -> None:
    with pytest.raises(UnsuitableDocument) as refusal:
        judge_xml(chain.signed_xml().replace(b"<Diem>3", b"<Diem>3<!---->", 1))

    assert refusal.value.problem.code == "comments"


def test_a_signature_that_does_not_cover_the_content_is_called_so() -> None:
    document = xml.assemble(pki.transcript_xml(), list(chain.subject_signatures().values()))

    verdict = judge_xml(chain.sign_xml(document, "GVCN", [f"{MATHS}-sv"]))["GVCN"]

    assert verdict.intact
    assert (verdict.coverage, codes(verdict), verdict.valid) == ("unclear", ["content_not_covered"], False)


def test_a_changed_byte_of_the_pdf_is_called_changed() -> None:
    verdicts = judge_pdf(chain.signed_pdf().replace(b"(Typst", b"(Tapst", 1))

    assert [(verdict.intact, codes(verdict)) for verdict in verdicts.values()] == [(False, ["changed"])] * 3


def test_a_wrong_value_in_the_pdf_is_called_so() -> None:
    base = pki.transcript_pdf()
    prepared = chain.prepare_pdf(base, "GVCN")
    who = chain.people()["GVCN"]
    value = who.sign(prepared.digest)

    signed = pdf.finish(base, prepared, value, who.der, who.chain).replace(value.hex().upper().encode(), bytes(len(value)).hex().encode())

    assert codes(judge_pdf(signed)["GVCN"]) == ["wrong_value"]


def test_a_page_changed_after_signing_is_called_so() -> None:
    def rotate(writer: IncrementalPdfFileWriter) -> None:
        page = writer.root["/Pages"]["/Kids"][0]
        page[pdf_name("/Contents")] = writer.root["/Pages"]["/Kids"][1]["/Contents"]
        writer.update_container(page)

    verdicts = judge_pdf(appended(chain.signed_pdf(), rotate))

    assert all(codes(verdict) == ["added_afterwards"] for verdict in verdicts.values())
    assert all(verdict.intact and not verdict.valid for verdict in verdicts.values())


def test_bytes_behind_the_last_signature_are_called_so() -> None:
    verdicts = judge_pdf(chain.signed_pdf() + b"%more\n")

    assert codes(verdicts["KY_PHAT_HANH"]) == ["added_afterwards"]


def test_changed_metadata_after_the_certifying_signature_is_seen() -> None:
    def retitle(writer: IncrementalPdfFileWriter) -> None:
        writer.root[pdf_name("/Lang")] = TextStringObject("en")
        writer.update_root()  # type: ignore[no-untyped-call] # pyHanko leaves it untyped

    assert codes(judge_pdf(appended(chain.signed_pdf(), retitle))["GVCN"]) == ["added_afterwards"]


@pytest.mark.parametrize(("old", "new"), [(b"/Type/Sig/", b"/Type/Xyz/"), (b"/ETSI.CAdES", b"/ETSI.OAdES")])
def test_a_signature_made_unreadable_is_not_passed_over(old: bytes, new: bytes) -> None:
    head, tail = chain.signed_pdf()[: len(pki.transcript_pdf())], chain.signed_pdf()[len(pki.transcript_pdf()) :]
    last = tail.rindex(old)

    verdicts = judge_pdf(head + tail[:last] + new + tail[last + len(old) :])

    assert set(verdicts) == set(pdf.FIELDS)
    assert codes(verdicts["KY_PHAT_HANH"]) == ["unreadable"]


def test_a_pdf_that_can_no_longer_be_read_is_refused() -> None:
    broken = chain.signed_pdf().replace(b"/Length ", b"/Lxngth ")

    with pytest.raises(UnsuitableDocument) as refusal:
        judge_pdf(broken)

    assert refusal.value.problem.code == "not_pdf"


def test_a_signature_with_parts_that_are_no_certificates_is_called_unreadable() -> None:
    document = chain.signed_xml()
    first = document.index(b"<ds:X509Certificate>") + len(b"<ds:X509Certificate>")

    verdicts = judge_xml(document[:first] + b"AAAA" + document[first + 4 :])

    assert codes(verdicts[MATHS]) == ["unreadable"]


def test_properties_that_point_to_another_signature_are_called_changed() -> None:
    document = chain.signed_xml().replace(b'Target="#KY_PHAT_HANH"', b'Target="#CBQL"')

    assert codes(judge_xml(document)["KY_PHAT_HANH"]) == ["changed"]


@pytest.mark.parametrize("document", [b"", b"%PDF-1.7\n%%EOF\n", b"\x00" * 100])
def test_a_file_that_is_no_pdf_is_refused(document: bytes) -> None:
    with pytest.raises(UnsuitableDocument):
        verify_pdf(document, [pki.root()], (), AT)


@pytest.mark.parametrize("judge", [judge_xml, judge_pdf])
def test_a_revoked_signer_is_called_revoked(judge: Callable[..., dict[str, Verdict]]) -> None:
    document = chain.signed_xml() if judge is judge_xml else chain.signed_pdf()
    revoked = [chain.people()["CBQL"].der]

    before = judge(document, (pki.crl(revoked, since=AT - timedelta(days=1)),))["CBQL"]
    after = judge(document, (pki.crl(revoked, since=AT + timedelta(days=1)),))["CBQL"]

    assert (before.intact, before.trust, before.valid) == (True, "revoked", False)
    assert (after.intact, after.trust, after.valid) == (True, "trusted", True)


def test_signatures_of_an_unknown_root_are_intact_but_not_trusted() -> None:
    stranger = pki.stranger_root()

    for verdict in verify_xml(chain.signed_xml(), [stranger], (), AT) + verify_pdf(chain.signed_pdf(), [stranger], (), AT):
        assert (verdict.intact, verdict.trust, verdict.valid) == (True, "incomplete_chain", False)


def test_after_the_certificate_has_run_out_a_bare_signature_is_no_longer_trusted() -> None:
    late = AT + timedelta(days=400)

    for verdict in verify_xml(chain.signed_xml(), [pki.root()], (), late) + verify_pdf(chain.signed_pdf(), [pki.root()], (), late):
        assert (verdict.intact, verdict.trust) == (True, "expired")


async def test_verdicts_are_the_same_inside_a_running_event_loop() -> None:
    assert all(verdict.valid for verdict in [*judge_xml(chain.signed_xml()).values(), *judge_pdf(chain.signed_pdf()).values()])
