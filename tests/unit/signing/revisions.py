"""The last revision of a PDF taken apart and written again with something else in it: what someone would add who cannot sign."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj\n", re.DOTALL)
_RANGE = re.compile(rb"/ByteRange ?\[[^\]]*\] *")


@dataclass(frozen=True)
class Revision:
    """`base` is everything before it; `places` overrides what the table says, `between` stands before the table."""

    base: bytes
    objects: dict[int, bytes]
    trailer: bytes
    between: bytes = b""
    places: tuple[tuple[int, int], ...] = ()

    def having(self, number: int, body: bytes) -> Revision:
        return replace(self, objects={**self.objects, number: body})

    def changing(self, number: int, old: bytes, new: bytes) -> Revision:
        assert old in self.objects[number], (old, self.objects[number])
        return self.having(number, self.objects[number].replace(old, new, 1))

    def find(self, words: bytes) -> int:
        """The object that has these bytes."""
        return next(number for number, body in self.objects.items() if words in body)

    def written(self) -> bytes:
        """With a true table and, as far as it has one, a range that covers it."""
        out, places = bytearray(self.base), {}
        for number, body in self.objects.items():
            places[number] = len(out)
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        out += self.between
        references = len(out)
        out += b"xref\n0 1\n0000000000 65535 f \n"
        for number, place in sorted((places | dict(self.places)).items()):
            out += b"%d 1\n%010d 00000 n \n" % (number, place)
        size = max(int(_size(self.trailer)), *(number + 1 for number in self.objects))
        trailer = re.sub(rb"/Size \d+", b"/Size %d" % size, self.trailer)
        out += b"trailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (trailer, references)
        return _covering(bytes(out), len(self.base))


def last_revision(document: bytes) -> Revision:
    start = document.rindex(b"%%EOF\n", 0, len(document) - 6) + 6
    body, _, tail = document[start:].partition(b"xref\n")
    trailer = tail[tail.index(b"trailer\n") + 8 : tail.rindex(b"\nstartxref")]
    return Revision(document[:start], {int(number): each for number, each in _OBJECT.findall(body)}, trailer)


def _size(trailer: bytes) -> bytes:
    found = re.search(rb"/Size (\d+)", trailer)
    assert found is not None
    return found[1]


def _covering(document: bytes, start: int) -> bytes:
    found = _RANGE.search(document, start)
    if found is None:
        return document
    begin = document.index(b"/Contents", start) + len(b"/Contents")
    begin = document.index(b"<", begin)
    end = document.index(b">", begin) + 1
    told = b"/ByteRange[0 %d %d %d]" % (begin, end, len(document) - end)
    assert len(told) <= len(found[0]), (told, found[0])
    return document[: found.start()] + told.ljust(len(found[0])) + document[found.end() :]
