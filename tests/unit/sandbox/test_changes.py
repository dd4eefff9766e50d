"""The gateway's judgement of what was added to a PDF, beside pyHanko's own: the same ways to the same objects, the same verdict."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffPolicy, ModificationLevel, SuspiciousModification
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, append_signature_field

from infra.sandbox.gateway.changes import ChangesPolicy, SignedRevision
from services.records.render.pdf import transcript_pdf
from services.records.render.xml import transcript_xml
from tests.factories.transcripts import primary_content

Change = Callable[[IncrementalPdfFileWriter], None]


@cache
def tagged() -> bytes:
    """A transcript as the system renders it: tagged, with three empty signature fields."""
    content = primary_content()
    return transcript_pdf(content, [], transcript_xml(content))


def changed(document: bytes, change: Change) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(document))
    change(writer)
    output = BytesIO()
    writer.write(output)  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
    return output.getvalue()


def field(writer: Any, number: int) -> Any:
    return writer.root["/AcroForm"]["/Fields"][number]


def element(writer: Any) -> Any:
    """A structure element that stands for something on a page."""
    found = writer.root["/StructTreeRoot"]
    while "/Pg" not in found:
        kids = found["/K"]
        found = kids[0] if isinstance(kids, generic.ArrayObject) else kids
    return found


def last_page(writer: Any) -> Any:
    return writer.root["/Pages"]["/Kids"][-1]


def dictionary(**entries: Any) -> generic.DictionaryObject:
    made = generic.DictionaryObject()  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
    made.update({pdf_name(f"/{name}"): value for name, value in entries.items()})
    return made


def filled(writer: Any) -> None:
    widget = field(writer, 0)
    widget[pdf_name("/V")] = writer.add_object(dictionary(Type=pdf_name("/Sig")))
    writer.update_container(widget)


def with_field_beside_the_pages(writer: Any) -> None:
    fields = writer.root["/AcroForm"]["/Fields"]
    fields.append(writer.add_object(dictionary(FT=pdf_name("/Sig"), T=generic.pdf_string("THEM"))))
    writer.update_container(fields)


def with_field_on_a_page(writer: Any) -> None:
    append_signature_field(writer, SigFieldSpec("THEM"))


def with_widget_in_the_tags(writer: Any) -> None:
    holder = element(writer)
    reference = writer.root["/AcroForm"]["/Fields"].raw_get(0)
    holder[pdf_name("/K")] = generic.ArrayObject([dictionary(Type=pdf_name("/OBJR"), Obj=reference)])
    writer.update_container(holder)


def with_other_tags(writer: Any) -> None:
    changed_element = element(writer)
    changed_element[pdf_name("/ActualText")] = generic.pdf_string("10")
    writer.update_container(changed_element)


def with_other_content(writer: Any) -> None:
    page = last_page(writer)
    page[pdf_name("/Contents")] = writer.add_object(generic.StreamObject(stream_data=b"0 0 9 9 re f"))
    writer.update_container(page)


def with_another_page(writer: Any) -> None:
    kids = writer.root["/Pages"]["/Kids"]
    kids.append(writer.add_object(dictionary(**{str(name)[1:]: kids[0].raw_get(name) for name in kids[0]})))
    writer.update_container(kids)


def nothing(writer: Any) -> None:
    writer.add_object(generic.NullObject())


CHANGES = {
    "filled": [filled],
    "filled-twice": [filled, filled],
    "field-beside-the-pages": [filled, with_field_beside_the_pages],
    "field-on-a-page": [filled, with_field_on_a_page],
    "widget-in-the-tags": [with_widget_in_the_tags, filled],
    "other-tags": [filled, with_other_tags],
    "other-content": [filled, with_other_content],
    "another-page": [with_another_page, filled],
    "orphan": [filled, nothing],
}


@pytest.fixture(params=list(CHANGES.values()), ids=list(CHANGES))
def document(request: pytest.FixtureRequest) -> bytes:
    made = tagged()
    for change in request.param:
        made = changed(made, change)
    return made


def verdict(policy: DiffPolicy, document: bytes, revision: int) -> tuple[str, object]:
    result = policy.review_file(PdfFileReader(BytesIO(document)), revision, doc_mdp=MDPPerm.FILL_FORMS)
    if isinstance(result, SuspiciousModification):
        return "suspicious", str(result).split(":", maxsplit=1)[0]
    return "permitted", (result.modification_level, result.changed_form_fields)


def test_the_verdict_is_pyhankos_whatever_was_added(document: bytes) -> None:
    revisions = PdfFileReader(BytesIO(document)).xrefs.total_revisions
    verdicts = [(verdict(ChangesPolicy(document), document, n), verdict(DEFAULT_DIFF_POLICY, document, n)) for n in range(revisions - 1)]
    assert verdicts
    assert [ours for ours, _ in verdicts] == [plain for _, plain in verdicts]


def test_every_way_to_a_replaced_object_is_found(document: bytes) -> None:
    for revision in range(PdfFileReader(BytesIO(document)).xrefs.total_revisions - 1):
        ours, plain = SignedRevision(reader := PdfFileReader(BytesIO(document)), revision, document), HistoricalResolver(reader, revision)
        for resolver in (ours, plain):
            resolver._load_reverse_xref_cache()  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
        later = range(revision + 1, reader.xrefs.total_revisions)
        for ref in {ref for number in later for ref in reader.xrefs.explicit_refs_in_revision(number)}:
            assert ours._get_usages_of_ref(ref) == plain._get_usages_of_ref(ref)


def test_a_filled_field_is_permitted_and_a_replaced_content_is_not() -> None:
    once = changed(tagged(), filled)
    assert verdict(ChangesPolicy(once), once, 0)[1] == (ModificationLevel.FORM_FILLING, {"GVCN"})
    spoilt = changed(once, with_other_content)
    assert verdict(ChangesPolicy(spoilt), spoilt, 1)[0] == "suspicious"


def test_a_filled_field_is_judged_without_reading_the_tags() -> None:
    once = changed(tagged(), filled)
    reader = PdfFileReader(BytesIO(once))
    total = len(reader.xrefs.explicit_refs_in_revision(0))
    assert len(SignedRevision(reader, 0, once)._leading_on()) < total / 5


def test_a_reference_written_in_an_unusual_way_is_a_reference() -> None:
    odd = tagged()
    reader = PdfFileReader(BytesIO(odd))
    widget = reader.root["/AcroForm"]["/Fields"].raw_get(0)
    usual = b"%d 0 R" % widget.idnum
    assert odd.count(usual) == 2
    once = changed(odd, filled)
    for written in (b"%d\n0 R", b"%d 0\tR"):
        again = once.replace(usual, written % widget.idnum)
        leading = SignedRevision(PdfFileReader(BytesIO(again)), 0, again)._leading_on()
        assert leading == SignedRevision(PdfFileReader(BytesIO(once)), 0, once)._leading_on()
