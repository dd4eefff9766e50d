"""What is known as an addition, and that nothing else is: pyHanko's own rules are the judge of both."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult, StandardDiffPolicy, SuspiciousModification

from services.means.judging import additions as known
from services.means.judging.additions import additions
from services.means.judging.judge_pdf import verify_pdf
from services.means.judging.pdf_changes import Changes
from services.records.render.pdf import transcript_pdf
from services.records.render.xml import transcript_xml
from services.signing import pdf
from services.signing.pades.stamp import SIGNATURE_MM, stamp
from tests.factories.pictures import signature_picture
from tests.factories.transcripts import primary_content, subject_signatures
from tests.unit.signing.revisions import Revision, last_revision
from tests.unit.signing.sealed import NOW, Sandbox

Attack = Callable[[Revision], Revision]
TRIES = 40


@pytest.fixture(scope="module")
def rendered() -> bytes:
    content = primary_content()
    return transcript_pdf(content, subject_signatures(content), transcript_xml(content))


def sign(sandbox: Sandbox, document: bytes, field: str, *, picture: bool = False) -> bytes:
    who = sandbox.people[field]
    drawn = stamp(signature_picture(), SIGNATURE_MM) if picture else None
    prepared = pdf.prepare(
        document, field=field, certificate=who.der, chain=who.chain, signed_at=NOW, name="Tên", reason="Vai", stamp=drawn
    )
    return pdf.finish(document, prepared, who.sign(prepared.digest), who.der, who.chain)


@pytest.fixture(scope="module")
def certified(rendered: bytes, sandbox: Sandbox) -> bytes:
    return sign(sandbox, rendered, "GVCN")


@pytest.fixture(scope="module")
def approved(certified: bytes, sandbox: Sandbox) -> bytes:
    return sign(sandbox, certified, "CBQL")


@pytest.fixture(scope="module")
def pictured(certified: bytes, sandbox: Sandbox) -> bytes:
    return sign(sandbox, certified, "CBQL", picture=True)


@pytest.fixture(scope="module")
def issued(pictured: bytes, sandbox: Sandbox) -> bytes:
    return sign(sandbox, pictured, "KY_PHAT_HANH", picture=True)


@pytest.fixture(scope="module")
def archived(issued: bytes, sandbox: Sandbox) -> bytes:
    return sandbox.sealed_pdf(issued)


def by_pyhanko(document: bytes, revision: int) -> DiffResult | SuspiciousModification:
    reader = PdfFileReader(BytesIO(document))
    one = next(each for each in reader.embedded_signatures if each.signed_revision == revision)
    return DEFAULT_DIFF_POLICY.review_file(reader, revision, one.fieldmdp, one.docmdp_level)


def by_us(document: bytes, revision: int) -> DiffResult | SuspiciousModification:
    reader = PdfFileReader(BytesIO(document))
    one = next(each for each in reader.embedded_signatures if each.signed_revision == revision)
    signed = int(one.byte_range[2]) + int(one.byte_range[3])
    return Changes(additions(document), signed).review_file(reader, revision, one.fieldmdp, one.docmdp_level)


def codes(sandbox: Sandbox, document: bytes) -> list[str]:
    """Of the first signature."""
    verdict = next(each for each in verify_pdf(document, sandbox.roots, [], NOW) if each.place == "GVCN")
    return [problem.code for problem in verdict.problems]


# what is known


def test_every_revision_that_signing_and_sealing_add_is_known(archived: bytes, sandbox: Sandbox) -> None:
    renewed = sandbox.sealed_pdf(archived)

    found = additions(renewed)

    assert [(one.kind, one.field) for one in found] == [
        ("signature", "CBQL"),
        ("signature", "KY_PHAT_HANH"),
        ("archive", "DAU_THOI_GIAN_1"),
        ("archive", "DAU_THOI_GIAN_2"),
    ]
    assert [one.start for one in found[1:]] + [len(renewed)] == [one.end for one in found]


def test_pyhanko_says_the_same_of_additions_when_it_is_asked(archived: bytes, sandbox: Sandbox) -> None:
    renewed = sandbox.sealed_pdf(archived)

    for revision in (1, 2, 3):
        theirs, ours = by_pyhanko(renewed, revision), by_us(renewed, revision)
        assert isinstance(theirs, DiffResult)
        assert isinstance(ours, DiffResult)
        assert ours.modification_level == theirs.modification_level
        assert ours.changed_form_fields == theirs.changed_form_fields


def test_a_document_as_the_system_makes_it_is_judged_without_reading_all_of_it(
    archived: bytes, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> DiffResult:
        raise AssertionError("all of the document is read")

    monkeypatch.setattr(StandardDiffPolicy, "apply", never)

    assert all(one.valid and one.level == "LTA" for one in verify_pdf(archived, sandbox.roots, [], NOW))


def test_a_file_of_another_writer_is_left_to_pyhanko(sandbox: Sandbox, sealed_pdf: bytes) -> None:
    assert additions(sealed_pdf) == []
    assert all(one.valid for one in verify_pdf(sealed_pdf, sandbox.roots, [], NOW))


def test_a_revision_written_again_as_it_was_is_still_known(approved: bytes, pictured: bytes, archived: bytes) -> None:
    for document in (approved, pictured, archived):
        again = last_revision(document).written()
        assert len(additions(again)) == len(additions(document)) > 0


# attacks with a revision that looks like a signature


def page_of(revision: Revision) -> int:
    number: int = PdfFileReader(BytesIO(revision.base)).root["/Pages"]["/Kids"].raw_get(1).idnum
    return number


def contents_of(revision: Revision) -> int:
    page = PdfFileReader(BytesIO(revision.base)).root["/Pages"]["/Kids"][1]
    number: int = page.raw_get("/Contents").idnum
    return number


def body(revision: Revision, number: int) -> bytes:
    start = revision.base.index(b"\n%d 0 obj\n" % number) + len(b"\n%d 0 obj\n" % number)
    return revision.base[start : revision.base.index(b"\nendobj", start)]


def widget(revision: Revision) -> int:
    return revision.find(b"(CBQL)")


def drawing(revision: Revision) -> int:
    return revision.find(b"/Subtype/Form")


FRESH = 9000
STREAM = b"<</Length 12>>\nstream\nBT (9.9) Tj ET\nendstream"
REFUSED_SIGNATURES: dict[str, Attack] = {
    "the page gets other contents": lambda r: r.having(contents_of(r), b"<</Length 0>>\nstream\n\nendstream"),
    "the page is another one": lambda r: r.having(page_of(r), body(r, page_of(r)).replace(b"/Contents", b"/Metadata")),
    "the field moves over the marks": lambda r: r.changing(widget(r), b"/Rect [", b"/Rect [9"),
    "the field gets another label": lambda r: r.changing(widget(r), b"/TU <", b"/TU <0041"),
    "the field says something when it is touched": lambda r: r.changing(widget(r), b"/F 4", b"/F 4/A<</S/URI/URI(http://x)>>"),
    "another field changes as well": lambda r: r.having(other_field(r), body(r, other_field(r)).replace(b"/F 4", b"/F 2")),
    "the catalog does something on opening": lambda r: r.having(
        catalog(r), body(r, catalog(r)).replace(b"/Pages", b"/OpenAction<</S/JavaScript/JS(x)>>/Pages")
    ),
    "the signature stands in the place of something else": lambda r: r.changing(widget(r), b"/V", b"/V %d 0 R/X" % page_of(r)),
}


def other_field(revision: Revision) -> int:
    fields = PdfFileReader(BytesIO(revision.base)).root["/AcroForm"]["/Fields"]
    number: int = next(each.idnum for each in (fields.raw_get(i) for i in range(3)) if each.get_object()["/T"] == "KY_PHAT_HANH")
    return number


def catalog(revision: Revision) -> int:
    number: int = PdfFileReader(BytesIO(revision.base)).root_ref.idnum
    return number


@pytest.mark.parametrize("name", REFUSED_SIGNATURES)
def test_a_signature_that_brings_something_else_is_called_added_afterwards(name: str, pictured: bytes, sandbox: Sandbox) -> None:
    attacked = REFUSED_SIGNATURES[name](last_revision(pictured)).written()

    assert additions(attacked) == []
    assert codes(sandbox, attacked) == ["added_afterwards"]


LEFT_TO_PYHANKO: dict[str, Attack] = {
    "something from the page is the field's picture": lambda r: r.changing(drawing(r), b"/P ", b"/P %d 0 R/Q " % contents_of(r)),
    "an object that nothing needs": lambda r: r.having(FRESH, STREAM),
    "words between the objects": lambda r: replace(r, between=b"BT (9.9) Tj ET\n"),
    "a comment between the objects": lambda r: replace(r, between=b"%9.9\n"),
    "a drawing with more than a picture": lambda r: r.changing(drawing(r), b"/P Do Q", b"/P DoQQ"),
    "a drawing in text": lambda r: r.having(
        drawing(r), b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 12>>\nstream\nBT (9.9) Tj ET\nendstream"
    ),
    "a table that shows into what was signed": lambda r: replace(r, places=((widget(r), r.base.index(b"/Type/Catalog")),)),
    "a table that shows an object twice": lambda r: replace(r, places=((FRESH, r.base.index(b"1 0 obj")),)),
    "a signature that allows more": lambda r: r.changing(r.find(b"/Type/Sig"), b"/M(", b"/Reference[]/M("),
    "a signature of another sort": lambda r: r.changing(r.find(b"/Type/Sig"), b"/Type/Sig", b"/Type/Sig/Prop_Build<<>>"),
    "an object inside a stream": lambda r: r.having(
        r.find(b"/Subtype/Image"), b"<</Type/XObject/Subtype/Image/Length 24>>\nstream\n7 0 obj\n<</Nothing 1>>..\nendstream"
    ),
    "another catalog": lambda r: replace(r, trailer=r.trailer.replace(b"/Root %d" % catalog(r), b"/Root %d" % page_of(r))),
    "another identity": lambda r: replace(r, trailer=r.trailer.replace(b"/ID [(", b"/ID [(x")),
    "an encrypted file": lambda r: replace(r, trailer=r.trailer.replace(b"/Root", b"/Encrypt 1 0 R/Root")),
    "a jump over the signed revision": lambda r: replace(r, trailer=before_last(r)),
}


def before_last(revision: Revision) -> bytes:
    earlier = last_revision(revision.base)
    found = re.search(rb"/Prev \d+", earlier.trailer)
    assert found is not None
    return re.sub(rb"/Prev \d+", found[0], revision.trailer)


def judged(policy: Callable[[bytes, int], Any], document: bytes) -> str:
    """What it says, or that the file cannot be read at all."""
    try:
        answer = policy(document, 1)
    except Exception as error:  # noqa: BLE001 - whatever pyHanko raises on a broken file, both have to raise
        return type(error).__name__
    return "suspicious" if isinstance(answer, SuspiciousModification) else str(answer.modification_level)


@pytest.mark.parametrize("name", LEFT_TO_PYHANKO)
def test_what_is_not_exactly_a_signature_is_left_to_pyhanko(name: str, pictured: bytes) -> None:
    attacked = LEFT_TO_PYHANKO[name](last_revision(pictured)).written()

    assert additions(attacked) == []
    assert judged(by_us, attacked) == judged(by_pyhanko, attacked)


# attacks with a revision that looks like an archive revision


def store(revision: Revision) -> int:
    return revision.find(b"/Certs")


def first_data(revision: Revision) -> int:
    found = re.search(rb"/Certs \[ (\d+) 0 R", revision.objects[store(revision)])
    assert found is not None
    return int(found[1])


def leaving(revision: Revision) -> Revision:
    """Without the second field of the form."""
    found = re.search(rb"/Fields \[ \d+ 0 R( \d+ 0 R)", revision.objects[catalog(revision)])
    assert found is not None
    return revision.changing(catalog(revision), found[0], found[0].removesuffix(found[1]))


REFUSED_ARCHIVES: dict[str, Attack] = {
    "the catalog does something on opening": lambda r: r.changing(catalog(r), b"/Pages", b"/OpenAction <</S /JavaScript /JS (x)>> /Pages"),
    "the catalog has other pages": lambda r: r.changing(catalog(r), b"/Pages ", b"/Pages %d 0 R /Old " % page_of(r)),
    "the catalog has another language": lambda r: r.changing(catalog(r), b"(vi", b"(en"),
    "the catalog has another attachment": lambda r: r.changing(catalog(r), b"/AF [ ", b"/AF [ %d 0 R " % page_of(r)),
    "a certificate is the page's contents": lambda r: r.having(contents_of(r), r.objects[first_data(r)]),
    "the page is another one": lambda r: r.having(page_of(r), body(r, page_of(r)).replace(b"/Contents", b"/Metadata")),
}


LEFT_ARCHIVES: dict[str, Attack] = {
    "a field leaves the form": leaving,
    "the store shows what was there": lambda r: r.changing(store(r), b"/Certs [", b"/Certs [ %d 0 R" % contents_of(r)),
    "the store holds something else": lambda r: r.changing(store(r), b"/Certs", b"/VRI <<>> /Certs"),
    "a certificate is a drawing": lambda r: r.changing(first_data(r), b"/Length", b"/Subtype /Form /Length"),
    "a certificate hides an object": lambda r: r.having(first_data(r), b"<<\n/Length 24\n>>\nstream\n7 0 obj\n<</Nothing 1>>..\nendstream"),
    "the timestamp's field stands on a page": lambda r: r.changing(r.find(b"DAU"), b"/FT", b"/Subtype /Widget /Rect [0 0 99 99] /FT"),
    "the timestamp's field has a child": lambda r: r.changing(r.find(b"DAU"), b"/FT", b"/Kids [] /FT"),
    "the timestamp is a signature": lambda r: r.changing(r.find(b"/DocTimeStamp"), b"/DocTimeStamp", b"/Sig"),
    "an object that nothing needs": lambda r: r.having(FRESH, STREAM),
    "words between the objects": lambda r: replace(r, between=b"BT (9.9) Tj ET\n"),
    "the form is filled in by the reader": lambda r: r.changing(catalog(r), b"/SigFlags 3", b"/SigFlags 3 /NeedAppearances true"),
}


@pytest.mark.parametrize("name", REFUSED_ARCHIVES)
def test_an_archive_revision_that_brings_something_else_is_called_added_afterwards(name: str, archived: bytes, sandbox: Sandbox) -> None:
    attacked = REFUSED_ARCHIVES[name](last_revision(archived)).written()

    assert additions(attacked) == []
    verdicts = verify_pdf(attacked, sandbox.roots, [], NOW)
    assert {one.place: [problem.code for problem in one.problems] for one in verdicts} == {
        field: ["added_afterwards", "timestamp"] for field in pdf.FIELDS
    }


@pytest.mark.parametrize("name", LEFT_ARCHIVES)
def test_what_is_not_exactly_an_archive_revision_is_left_to_pyhanko(name: str, archived: bytes) -> None:
    attacked = LEFT_ARCHIVES[name](last_revision(archived)).written()

    assert additions(attacked) == []
    assert judged(by_us, attacked) == judged(by_pyhanko, attacked)


def test_a_store_that_loses_what_it_held_is_left_to_pyhanko(archived: bytes, sandbox: Sandbox) -> None:
    renewal = last_revision(sandbox.sealed_pdf(archived))
    number = store(renewal)
    lost = re.sub(rb"/CRLs \[ \d+ 0 R", b"/CRLs [", renewal.objects[number], count=1)
    assert lost != renewal.objects[number]

    attacked = renewal.having(number, lost).written()

    assert len(additions(renewal.written())) == len(additions(archived)) + 1
    assert additions(attacked) == []
    assert judged(by_us, attacked) == judged(by_pyhanko, attacked)


# what was signed points behind itself


def test_a_signed_table_that_points_behind_what_was_signed_makes_nothing_known(rendered: bytes, sandbox: Sandbox) -> None:
    """An object that stands nowhere yet could be put there, inside of something harmless, once the document is signed."""
    start = rendered.rindex(b"\nxref\n") + 1
    row = rendered.index(b" n \n", start) - len(b"0000000000 00000")
    ahead = rendered[:row] + b"%010d" % (len(rendered) + 9000) + rendered[row + 10 :]
    documents = []
    for one in (rendered, ahead):
        signed = one
        for field in ("GVCN", "CBQL"):
            signed = sign(sandbox, signed, field)
        documents.append(signed)

    assert [len(additions(each)) for each in documents] == [1, 0]


def test_additions_after_bytes_that_nobody_signed_do_not_count(certified: bytes, sandbox: Sandbox) -> None:
    approved = last_revision(sign(sandbox, certified, "CBQL"))
    slipped = replace(approved, base=certified + b"9 0 obj\n(9.9)\nendobj\n" + certified[certified.rindex(b"startxref") :]).written()

    assert [one.start for one in additions(slipped)] == [len(slipped) - len(approved.written()) + len(certified)]
    assert judged(by_us, slipped) == judged(by_pyhanko, slipped)


# whatever happens to the bytes


def test_whatever_is_changed_in_a_revision_that_stays_known_pyhanko_permits_it_too(archived: bytes) -> None:
    """Bytes changed, put in, taken out, doubled: what still passes for an addition, passes pyHanko's rules with the same answer."""
    rng, first = random.Random(20), additions(archived)[0].start
    kept = 0
    for _ in range(TRIES):
        at, length = rng.randrange(first, len(archived)), rng.choice((0, 1, 1, 2, 9))
        put = rng.choice((rng.randbytes(length), archived[at : at + length] * 2, b"", b" ", b"/", b"0", b"%\n"))
        changed = archived[:at] + put + archived[at + length :]
        if len(changed) != len(archived) and rng.random() < 0.5:
            continue
        found = additions(changed)
        if len(found) == len(additions(archived)):
            kept += 1
            assert judged(by_us, changed) == judged(by_pyhanko, changed)

    assert kept > 0


def test_what_additions_refuse_is_told_apart_from_what_they_know() -> None:
    assert known.additions(b"") == []
    assert known.additions(b"%PDF-1.7\n%%EOF\n") == []
