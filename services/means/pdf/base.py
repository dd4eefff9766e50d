"""Finds single objects of a PDF by its cross-references, tables and streams, without reading the rest of the file."""

import re
import zlib
from dataclasses import dataclass, field
from typing import Final

from services.means.pdf.syntax import ForeignPdf, dictionary, integer, reference

LARGEST_STREAM: Final = 32 * 1024 * 1024
MOST_SECTIONS: Final = 1000
_END: Final = re.compile(rb"startxref[\r\n\t ]+(\d{1,12})[\r\n\t ]+%%EOF[\r\n\t ]*\Z")
_SUBSECTION: Final = re.compile(rb"(\d{1,10}) (\d{1,10}) ?\r?\n?")
_ENTRY: Final = re.compile(rb"(\d{10}) (\d{5}) ([nf])(?: \r| \n|\r\n)")
_OBJECT: Final = re.compile(rb"(\d{1,10})[\x00\t\n\f\r ]+(\d{1,5})[\x00\t\n\f\r ]+obj")
_STREAM: Final = re.compile(rb"[\x00\t\n\f\r ]*stream\r?\n")
_FREE, _PLAIN, _PACKED = 0, 1, 2


@dataclass(frozen=True)
class Section:
    """One revision's cross-references: `ranges` are (first number, how many, where the entries begin in `rows`).

    `widths` is None for a table, whose entries have 20 bytes.
    """

    ranges: list[tuple[int, int, int]]
    rows: bytes
    widths: tuple[int, int, int] | None
    trailer: dict[bytes, bytes]

    def entry(self, number: int) -> tuple[int, int, int] | None:
        """(sort, offset or number of the object stream, generation or place in it); None when another revision has to tell."""
        for first, count, start in self.ranges:
            if first <= number < first + count:
                return self._row(start, number - first)
        return None

    def _row(self, start: int, index: int) -> tuple[int, int, int]:
        if self.widths is None:
            found = _ENTRY.match(self.rows, start + 20 * index)
            if found is None:
                raise ForeignPdf("an entry of a cross-reference table is not of 20 bytes")
            return (_PLAIN if found[3] == b"n" else _FREE), int(found[1]), int(found[2])
        kind, second, third = self.widths
        at = start + index * (kind + second + third)
        row = self.rows[at : at + kind + second + third]
        sort = int.from_bytes(row[:kind], "big") if kind else _PLAIN
        return sort, int.from_bytes(row[kind : kind + second], "big"), int.from_bytes(row[kind + second :], "big")


@dataclass
class Base:
    """The document that a revision is appended to; `start` is where its newest cross-references are."""

    data: bytes
    start: int
    sections: list[Section]
    packed: dict[int, tuple[bytes, list[tuple[int, int]]]] = field(default_factory=dict)

    @property
    def trailer(self) -> dict[bytes, bytes]:
        return self.sections[0].trailer

    @property
    def is_table(self) -> bool:
        return self.sections[0].widths is None

    def body(self, number: int) -> tuple[bytes, int, int]:
        """(bytes, position, generation): where the object's value begins."""
        sort, second, third = self.entry(number)
        if sort == _PLAIN:
            return self.data, _object_at(self.data, second, number), third
        if sort == _PACKED:
            return (*self._unpacked(number, second), 0)
        raise ForeignPdf(f"object {number} is free")

    def entry(self, number: int) -> tuple[int, int, int]:
        """As `Section.entry`, from the newest revision that knows the object."""
        place = 0
        while True:
            found = self.sections[place].entry(number)
            if found is not None:
                return found
            place += 1
            if place == len(self.sections):
                self._go_back()

    def resolved(self, raw: bytes) -> tuple[bytes, int]:
        """(bytes, position) of the value itself, whether it stands here or somewhere else."""
        where = reference(raw)
        return self.body(where[0])[:2] if where else (raw, 0)

    def dictionary(self, raw: bytes) -> dict[bytes, bytes]:
        return dictionary(*self.resolved(raw))[0]

    def all_sections(self) -> list[Section]:
        """The cross-references of every revision, the newest first."""
        while b"/Prev" in self.sections[-1].trailer:
            self._go_back()
        return self.sections

    def _go_back(self) -> None:
        """Read the cross-references of the revision before the oldest that is known."""
        before = self.sections[-1].trailer.get(b"/Prev")
        if before is None:
            raise ForeignPdf("an object is missing")
        if len(self.sections) >= MOST_SECTIONS:
            raise ForeignPdf("the cross-references go round in a circle")
        self.sections.append(_section(self.data, integer(before)))

    def _unpacked(self, number: int, container: int) -> tuple[bytes, int]:
        if container not in self.packed:
            sort, offset, _ = self.entry(container)
            if sort != _PLAIN:
                raise ForeignPdf("an object stream is not where it should be")
            entries, content = _stream(self.data, _object_at(self.data, offset, container), self)
            count, first = integer(entries.get(b"/N")), integer(entries.get(b"/First"))
            numbers = [integer(each) for each in content[:first].split()]
            if len(numbers) != 2 * count:
                raise ForeignPdf("an object stream has another number of objects than it says")
            places = [first + offset for offset in numbers[1::2]]
            self.packed[container] = (content, list(zip(numbers[0::2], places, strict=True)))
        content, known = self.packed[container]
        for each, place in known:
            if each == number:
                return content, place
        raise ForeignPdf(f"object {number} is not in its object stream")


def read(document: bytes) -> Base:
    """Raises ForeignPdf for what is no PDF, or one that is encrypted or has both kinds of cross-references in one revision."""
    if not document.startswith(b"%PDF-"):
        raise ForeignPdf("not a PDF")
    tail = document.rfind(b"startxref")
    end = _END.match(document, tail) if tail >= 0 else None
    if end is None:
        raise ForeignPdf("no end of a PDF")
    start = int(end[1])
    base = Base(document, start, [_section(document, start)])
    if b"/Encrypt" in base.trailer:
        raise ForeignPdf("the file is encrypted")
    return base


def _section(data: bytes, start: int) -> Section:
    if data[start : start + 4] != b"xref":
        return _stream_section(data, start)
    position = start + 4
    while data[position : position + 1] in (b"\r", b"\n", b" "):
        position += 1
    ranges = []
    while found := _SUBSECTION.match(data, position):
        first, count = int(found[1]), int(found[2])
        ranges.append((first, count, found.end()))
        position = found.end() + 20 * count
    if data[position : position + 7] != b"trailer":
        raise ForeignPdf("a cross-reference table has no trailer")
    trailer, _ = dictionary(data, position + 7)
    if b"/XRefStm" in trailer:
        raise ForeignPdf("a revision has both kinds of cross-references")
    return Section(ranges, data, None, trailer)


def _stream_section(data: bytes, start: int) -> Section:
    found = _OBJECT.match(data, start)
    if found is None:
        raise ForeignPdf("no cross-references where they should be")
    trailer, rows = _stream(data, found.end(), None)
    if trailer.get(b"/Type") != b"/XRef":
        raise ForeignPdf("no cross-reference stream where it should be")
    widths = _numbers(trailer.get(b"/W", b""))
    if len(widths) != 3 or not 1 <= sum(widths) <= 32:
        raise ForeignPdf("a cross-reference stream has no usable widths")
    index = _numbers(trailer[b"/Index"]) if b"/Index" in trailer else [0, integer(trailer.get(b"/Size"))]
    ranges, position = [], 0
    for first, count in zip(index[0::2], index[1::2], strict=False):
        ranges.append((first, count, position))
        position += count * sum(widths)
    if position > len(rows):
        raise ForeignPdf("a cross-reference stream is too short")
    return Section(ranges, rows, (widths[0], widths[1], widths[2]), trailer)


def _object_at(data: bytes, offset: int, number: int) -> int:
    found = _OBJECT.match(data, offset)
    if found is None or int(found[1]) != number:
        raise ForeignPdf(f"object {number} is not where the cross-references say")
    return found.end()


def _stream(data: bytes, position: int, base: Base | None) -> tuple[dict[bytes, bytes], bytes]:
    """Dictionary and decoded content. `base` finds a length that stands elsewhere, which it may not for cross-references."""
    entries, end = dictionary(data, position)
    begin = _STREAM.match(data, end)
    if begin is None:
        raise ForeignPdf("a stream was expected")
    length = entries.get(b"/Length", b"")
    where = reference(length)
    if where is not None:
        if base is None:
            raise ForeignPdf("the length of a stream of cross-references stands elsewhere")
        sort, offset, _ = base.entry(where[0])
        if sort != _PLAIN:
            raise ForeignPdf("the length of a stream stands in a stream")
        at = _object_at(data, offset, where[0])
        length = data[at : at + 24].partition(b"endobj")[0].strip()
    raw = data[begin.end() : begin.end() + integer(length)]
    return entries, _decoded(entries, raw)


def _decoded(entries: dict[bytes, bytes], raw: bytes) -> bytes:
    filters = entries.get(b"/Filter", b"").strip(b"[] \r\n\t")
    if not filters:
        return raw
    if filters != b"/FlateDecode":
        raise ForeignPdf("a stream is compressed in another way than expected")
    opener = zlib.decompressobj()
    try:
        content = opener.decompress(raw, LARGEST_STREAM)
    except zlib.error as error:
        raise ForeignPdf("a stream does not decompress") from error
    if opener.unconsumed_tail:
        raise ForeignPdf("a stream is too large")
    parameters = entries.get(b"/DecodeParms", b"").strip(b"[] \r\n\t")
    if not parameters or parameters == b"null":
        return content
    known, _ = dictionary(parameters)
    if integer(known.get(b"/Predictor", b"1")) == 1:
        return content
    return _unpredicted(content, integer(known.get(b"/Columns", b"1")))


def _unpredicted(content: bytes, columns: int) -> bytes:
    """Rows of bytes that say how they differ from the one above, or from their left (PNG predictors)."""
    if columns < 1 or len(content) % (columns + 1):
        raise ForeignPdf("a stream of cross-references has a row that is not whole")
    above, rows = bytes(columns), []
    for start in range(0, len(content), columns + 1):
        how, row = content[start], content[start + 1 : start + 1 + columns]
        if how == 2:
            row = bytes((own + other) & 255 for own, other in zip(row, above, strict=True))
        elif how == 1:
            made = bytearray(row)
            for place in range(1, columns):
                made[place] = (made[place] + made[place - 1]) & 255
            row = bytes(made)
        elif how:
            raise ForeignPdf("a stream of cross-references is predicted in another way than expected")
        rows.append(row)
        above = row
    return b"".join(rows)


def _numbers(raw: bytes) -> list[int]:
    return [integer(each) for each in raw.strip(b"[] \r\n\t").split()]
