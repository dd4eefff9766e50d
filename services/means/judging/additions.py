"""Revisions at the end of a file that add what signing and sealing here add, and not a byte more.

A revision is an addition when every byte of it is accounted for: objects one behind the other, cross-references to exactly those,
and each object is one that `revision` (a signature in a waiting field, perhaps with its picture) or `pdf_archive` (validation data
and a document timestamp in a field that stands on no page) writes. Of what was there before, an addition changes the widget's value
and appearance, or the catalog's fields and security store, and nothing else. What is not of that shape is left to who judges changes
in general: nothing is refused here.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from services.means.pdf.base import Base, read
from services.means.pdf.syntax import ForeignPdf, array, dictionary, integer, meaning, octets, reference, text

_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,60}")
"""Names of fields that are no others' children."""
_END: Final = re.compile(rb"startxref\n(\d{1,12})\n%%EOF\n\Z")
_TABLE: Final = re.compile(rb"xref\n((?:\d{1,10} \d{1,10}\n(?:\d{10} \d{5} [nf] \n)++)++)trailer\n")
_LINE: Final = re.compile(rb"(\d+) (\d+)(?: ([nf]) )?\n")
_USED: Final = re.compile(rb"(\d{10}) \d{5} n")
_NUMBER: Final = rb"\d{1,6}(?:\.\d{1,6})?"
_FORM: Final = re.compile(
    rb"<</Type/XObject/Subtype/Form/BBox\[0 0 N N\]/Resources<</XObject<</P (\d{1,10}) 0 R>>>>/Length \d{1,4}>>"
    rb"\nstream\nq N 0 0 N N N cm /P Do Q\nendstream".replace(b"N", _NUMBER)
)
_IMAGE: Final = re.compile(
    rb"<</Type/XObject/Subtype/Image/Width \d{1,5}/Height \d{1,5}/BitsPerComponent 4/ColorSpace\[/Indexed"
    rb"/DeviceRGB \d{1,2}<[0-9a-f]{1,96}>\]/Filter/FlateDecode/Length \d{1,7}>>"
)
_SIGNATURE: Final = {b"/Type", b"/Filter", b"/SubFilter", b"/M", b"/Name", b"/Reason", b"/ByteRange", b"/Contents"}
_STAMP: Final = {b"/Type", b"/Filter", b"/SubFilter", b"/ByteRange", b"/Contents"}
_STORE: Final = (b"/Certs", b"/OCSPs", b"/CRLs")
_TRAILER: Final = {b"/Root", b"/Info", b"/ID", b"/Prev", b"/Size"}
_WIDGET_MAY_NOT_HAVE: Final = (b"/Kids", b"/Lock", b"/SV", b"/Parent", b"/A", b"/AA", b"/AS")
_HEX: Final = re.compile(rb"<[0-9A-Fa-f]*+>")
Kind = Literal["signature", "archive"]


@dataclass(frozen=True)
class Addition:
    """It lies from `start` to `end`, its cross-references at `references`, those of the revision before it at `before`."""

    kind: Kind
    field: str
    start: int
    end: int
    references: int
    before: int


@dataclass(frozen=True)
class _Body:
    """An object's bytes; `data` are the octets of its stream."""

    raw: bytes
    entries: dict[bytes, bytes]
    data: bytes | None


@dataclass(frozen=True)
class _Revision:
    start: int
    end: int
    references: int
    trailer: dict[bytes, bytes]
    objects: dict[int, _Body]


@dataclass(frozen=True)
class _Step:
    """A revision beside what was there before it: its own objects are `new`, or stand in the place of others and are `changed`."""

    document: bytes
    taken: _Revision
    before: Base
    root: int
    catalog: dict[bytes, bytes]
    form: dict[bytes, bytes]
    fields: list[int]
    changed: dict[int, _Body]
    new: dict[int, _Body]


def additions(document: bytes) -> list[Addition]:
    """The additions with which the file ends, the oldest first; none when its last revision is something else."""
    found: list[Addition] = []
    end = len(document)
    try:
        while True:
            taken = _taken_apart(document, end)
            before = read(document[: taken.start])
            found.insert(0, _judged(document, taken, before))
            end = taken.start
    except ForeignPdf:
        pass  # the oldest addition, if any, has been found
    return found if found and _holds_nothing_ahead(document[:end]) else []


def _holds_nothing_ahead(signed: bytes) -> bool:
    """Whether no cross-reference of what was signed points behind it, where an addition could put something into its place."""
    try:
        sections = read(signed).all_sections()
    except ForeignPdf:
        return False
    last = b"%010d" % len(signed)
    return all(
        section.widths is None and all(offset < last for offset in _USED.findall(signed, start, start + 20 * count))
        for section in sections
        for _, count, start in section.ranges
    )


def _taken_apart(document: bytes, end: int) -> _Revision:
    """The last revision of the file up to `end`, every byte of which belongs to an object, its table or its trailer."""
    tail = document.rfind(b"startxref\n", 0, end)
    closing = _END.match(document[tail:end]) if tail >= 0 else None
    if closing is None:
        raise ForeignPdf("no plain end of a revision")
    references = int(closing[1])
    table = _TABLE.match(document, references, end)
    if table is None:
        raise ForeignPdf("no plain table of cross-references")
    trailer, at = dictionary(document, table.end())
    if document[at:tail] != b"\n" or set(trailer) != _TRAILER:
        raise ForeignPdf("not a plain trailer")
    places = _places(table[1])
    order = sorted(places, key=places.__getitem__)
    borders = [*(places[number] for number in order), references]
    objects = {number: _body(document[begin:until], number) for number, begin, until in zip(order, borders, borders[1:], strict=False)}
    return _Revision(borders[0], end, references, trailer, objects)


def _places(table: bytes) -> dict[int, int]:
    """Number → offset of every object in the table, all of generation 0; the head of the free list may stand there too."""
    places: dict[int, int] = {}
    number = left = 0
    for first, second, sort in _LINE.findall(table):
        if not sort:
            if left:
                raise ForeignPdf("a part of the table is shorter than it says")
            number, left = int(first), int(second)
            continue
        if not left or number in places or (sort == b"f") != (number == 0) or int(second) != (65535 if number == 0 else 0):
            raise ForeignPdf("the table has an entry that nothing here writes")
        if number:
            places[number] = int(first)
        number, left = number + 1, left - 1
    if left or not places:
        raise ForeignPdf("the table is shorter than it says")
    return places


def _body(raw: bytes, number: int) -> _Body:
    head, foot = b"%d 0 obj\n" % number, b"\nendobj\n"
    if not raw.startswith(head) or not raw.endswith(foot):
        raise ForeignPdf("an object is not where the table says, or has company")
    raw = raw[len(head) : -len(foot)]
    entries, end = dictionary(raw)
    if not raw.startswith(b"<<"):
        raise ForeignPdf("an object begins with a blank")
    if end == len(raw):
        return _Body(raw, entries, None)
    length = integer(entries.get(b"/Length"))
    begin = end + len(b"\nstream\n")
    data = raw[begin : begin + length]
    # a reader that looks for objects by their words must not find any in there
    if raw[end:] != b"\nstream\n%s\nendstream" % data or len(data) != length or b"obj" in data or b"xref" in data:
        raise ForeignPdf("a stream is not as long as it says")
    return _Body(raw, entries, data)


def _judged(document: bytes, taken: _Revision, before: Base) -> Addition:
    trailer, old = taken.trailer, before.trailer
    root = _number(old.get(b"/Root", b""))
    size = integer(old.get(b"/Size"))
    kept = all(meaning(trailer[key]) == meaning(old.get(key, b"null")) for key in (b"/Root", b"/Info"))
    identity, earlier = array(trailer[b"/ID"]), array(old.get(b"/ID", b"[]"))
    if not kept or len(identity) != 2 or len(earlier) != 2 or octets(identity[0]) != octets(earlier[0]):
        raise ForeignPdf("the trailer is another one")
    octets(identity[1])
    if integer(trailer[b"/Prev"]) != before.start or integer(trailer[b"/Size"]) != max(size, max(taken.objects) + 1):
        raise ForeignPdf("the trailer does not continue the revision before")
    catalog = before.dictionary(old[b"/Root"])
    form = _plain(catalog.get(b"/AcroForm"))
    step = _Step(
        document=document,
        taken=taken,
        before=before,
        root=root,
        catalog=catalog,
        form=form,
        fields=[_number(each) for each in array(form.get(b"/Fields", b""))],
        changed={number: body for number, body in taken.objects.items() if number < size},
        new={number: body for number, body in taken.objects.items() if number >= size},
    )
    kind: Kind = "archive" if root in step.changed else "signature"
    field = _archive(step) if kind == "archive" else _signature(step)
    return Addition(kind, field, taken.start, taken.end, taken.references, before.start)


def _signature(step: _Step) -> str:
    """A waiting field of the form has got a signature, and perhaps a picture; gives the field's name."""
    if len(step.changed) != 1 or next(iter(step.changed)) not in step.fields:
        raise ForeignPdf("something else than one field changed")
    ((number, body),) = step.changed.items()
    old, entries = step.before.dictionary(b"%d 0 R" % number), body.entries
    name = text(old.get(b"/T", b""))
    waits = old.get(b"/FT") == b"/Sig" and b"/V" not in old and not any(key in old for key in _WIDGET_MAY_NOT_HAVE)
    if body.data is not None or not _NAME.fullmatch(name) or not waits or set(entries) | {b"/AP"} != set(old) | {b"/V", b"/AP"}:
        raise ForeignPdf("the field is not one that waits for a signature")
    if any(meaning(entries.get(key, b"null")) != meaning(old[key]) for key in old if key != b"/AP"):
        raise ForeignPdf("more than the field's value changed")
    value = _number(entries[b"/V"])
    used = {value}
    if meaning(entries.get(b"/AP", b"null")) != meaning(old.get(b"/AP", b"null")):
        used |= _picture(_plain(entries.get(b"/AP")), step.new)
    if used != set(step.new):
        raise ForeignPdf("the revision has objects that it does not need")
    signature = _check_value(step, value, _SIGNATURE, (b"/Sig", b"/ETSI.CAdES.detached"))
    if any(not signature[key].startswith((b"(", b"<")) or signature[key].startswith(b"<<") for key in (b"/M", b"/Name", b"/Reason")):
        raise ForeignPdf("the signature says something else than words")
    return name


def _picture(appearance: dict[bytes, bytes], new: dict[int, _Body]) -> set[int]:
    """One picture in the field's own rectangle, both objects new."""
    form = _number(appearance.get(b"/N", b"")) if set(appearance) == {b"/N"} else -1
    drawn = _FORM.fullmatch(new[form].raw) if form in new else None
    image = int(drawn[1]) if drawn else -1
    if image not in new or new[image].data is None or not _IMAGE.match(new[image].raw):
        raise ForeignPdf("the field shows something else than one picture")
    return {form, image}


def _archive(step: _Step) -> str:
    """Validation data joined what there was, and a document timestamp got a field without a widget; gives the field's name."""
    before, catalog, form = step.before, step.catalog, step.form
    body = step.changed[step.root]
    entries = body.entries
    if body.data is not None or set(entries) != set(catalog) | {b"/DSS"}:
        raise ForeignPdf("the catalog says something else")
    if any(meaning(entries[key]) != meaning(catalog[key]) for key in catalog if key not in (b"/AcroForm", b"/DSS")):
        raise ForeignPdf("the catalog says something else")
    now = _plain(entries[b"/AcroForm"])
    more = [_number(each) for each in array(now.get(b"/Fields", b""))]
    same = set(now) == set(form) and all(meaning(now[key]) == meaning(form[key]) for key in form if key != b"/Fields")
    if not same or more[:-1] != step.fields or not more:
        raise ForeignPdf("the form says something else")
    store = _number(entries[b"/DSS"])
    used = [more[-1], *_stored(step, store)]
    if set(step.changed) != {step.root, store} - set(step.new):
        raise ForeignPdf("something else than the catalog and its store changed")
    field = _entries(step.new, more[-1])
    if set(field) != {b"/FT", b"/T", b"/V"} or field[b"/FT"] != b"/Sig" or not _NAME.fullmatch(text(field[b"/T"])):
        raise ForeignPdf("the timestamp's field is not one")
    if octets(field[b"/T"]) in {octets(before.dictionary(b"%d 0 R" % each).get(b"/T", b"()")) for each in step.fields}:
        raise ForeignPdf("the timestamp's field has the name of another")
    used.append(_number(field[b"/V"]))
    if sorted(used) != sorted(step.new):
        raise ForeignPdf("the revision has objects that it does not need, or needs one twice")
    _check_value(step, used[-1], _STAMP, (b"/DocTimeStamp", b"/ETSI.RFC3161"))
    return text(field[b"/T"])


def _stored(step: _Step, store: int) -> set[int]:
    """What of the new objects belongs to the store of validation data, which has lost nothing."""
    had: dict[bytes, bytes] = {}
    if b"/DSS" in step.catalog:
        if _number(step.catalog[b"/DSS"]) != store or store not in step.changed:
            raise ForeignPdf("the store is another one")
        had = step.before.dictionary(step.catalog[b"/DSS"])
    elif store not in step.new:
        raise ForeignPdf("the store was something else before")
    body = (step.changed | step.new)[store]
    if body.data is not None or not set(had) <= set(body.entries) <= {*_STORE, b"/Type"}:
        raise ForeignPdf("the store holds something else")
    if {part.get(b"/Type", b"/DSS") for part in (had, body.entries)} != {b"/DSS"}:
        raise ForeignPdf("the store is something else")
    streams: set[int] = set()
    for key in _STORE:
        old, now = ([_number(each) for each in array(part.get(key, b"[]"))] for part in (had, body.entries))
        added = set(now[len(old) :])
        if now[: len(old)] != old or len(added) != len(now) - len(old) or not added <= set(step.new) - streams - {store}:
            raise ForeignPdf("the store lost something, or took in what was there")
        streams |= added
    if any(step.new[number].data is None or set(step.new[number].entries) != {b"/Length"} for number in streams):
        raise ForeignPdf("the store holds something that is no plain data")
    return streams | ({store} & set(step.new))


def _check_value(step: _Step, number: int, keys: set[bytes], sort: tuple[bytes, bytes]) -> dict[bytes, bytes]:
    """The entries of a signature or timestamp that has nothing but what it needs and covers the file up to the end of its revision."""
    entries = _entries(step.new, number)
    if set(entries) != keys or (entries[b"/Type"], entries[b"/SubFilter"]) != sort or entries[b"/Filter"] != b"/Adobe.PPKLite":
        raise ForeignPdf("the signature has something else in it")
    numbers = [integer(each) for each in array(entries[b"/ByteRange"])]
    if len(numbers) != 4:
        raise ForeignPdf("the signature covers something else")
    start, length, again, rest = numbers
    contents = step.document[length:again]
    covers = start == 0 and again + rest == step.taken.end and step.taken.start < length < again
    if not covers or contents != entries[b"/Contents"] or not _HEX.fullmatch(contents):
        raise ForeignPdf("the signature does not cover its own revision")
    return entries


def _plain(raw: bytes | None) -> dict[bytes, bytes]:
    """A dictionary that stands where it is used."""
    if raw is None or not raw.startswith(b"<<"):
        raise ForeignPdf("a dictionary stands elsewhere")
    return dictionary(raw)[0]


def _entries(objects: dict[int, _Body], number: int) -> dict[bytes, bytes]:
    if number not in objects or objects[number].data is not None:
        raise ForeignPdf("an object is missing")
    return objects[number].entries


def _number(raw: bytes) -> int:
    """Of the object that is referred to, always of generation 0."""
    where = reference(raw)
    if where is None or where[1] != 0:
        raise ForeignPdf("a reference was expected")
    return where[0]
