"""The three empty signature fields, put into a PDF that Typst has just written.

The file is put together again with the fields inside its only revision, so the first signer's increment is the first change
after rendering. Signers find the fields by name and never move them: GVCN (homeroom teacher), CBQL (leader), KY_PHAT_HANH (school).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MM: Final = 72 / 25.4
PAGE_HEIGHT_MM: Final = 297.0


@dataclass(frozen=True)
class Panel:
    """A field's place on the last page in millimetres from its top left corner; the templates draw the frame there."""

    name: str
    label: str
    left: float
    top: float
    width: float
    height: float


PANELS: Final = (
    Panel("GVCN", "Chữ ký số của giáo viên chủ nhiệm", 115.0, 207.0, 70.0, 20.0),
    Panel("CBQL", "Chữ ký số của lãnh đạo nhà trường", 30.0, 207.0, 70.0, 20.0),
    Panel("KY_PHAT_HANH", "Chữ ký số phát hành của nhà trường", 115.0, 247.0, 70.0, 26.0),
)


class UnexpectedPdfError(ValueError):
    """The PDF is not written the way the pinned Typst writes it."""


def add_signature_fields(pdf: bytes) -> bytes:
    """The same document with the empty fields on its last page and /SigFlags 3; ends in a newline.

    Expects what Typst writes: one revision, a cross-reference table, no object streams. Raises UnexpectedPdfError for anything else.
    """
    header, objects, trailer = _take_apart(pdf)
    root = int(_search(rb"/Root (\d+) 0 R", trailer))
    last_page = _last_page(objects, int(_search(rb"/Pages (\d+) 0 R", objects[root])))
    first = len(objects) + 1
    for offset, panel in enumerate(PANELS):
        number = first + 2 * offset
        objects[number], objects[number + 1] = _field(number, panel, last_page)
    references = b" ".join(b"%d 0 R" % (first + 2 * offset) for offset in range(len(PANELS)))
    objects[root] = _extend(objects[root], b"/AcroForm<</Fields[%s]/SigFlags 3>>" % references)
    if b"/Annots" in objects[last_page]:
        objects[last_page] = re.sub(rb"/Annots ?\[", b"/Annots[%s " % references, objects[last_page], count=1)
    else:
        objects[last_page] = _extend(objects[last_page], b"/Annots[%s]/Tabs/S" % references)
    return _put_together(header, objects, trailer)


def _take_apart(pdf: bytes) -> tuple[bytes, dict[int, bytes], bytes]:
    start = int(_search(rb"startxref\s+(\d+)\s+%%EOF\s*$", pdf[-64:]))
    table = re.match(rb"xref\n0 (\d+)\n((?:\d{10} \d{5} [nf][ \r]?\r?\n)+)trailer\n?(.*?)startxref", pdf[start:], re.DOTALL)
    if table is None or b"/Prev" in table[3]:
        raise UnexpectedPdfError("no single cross-reference table")
    entries = table[2].split(b"\n")[1 : int(table[1])]
    offsets = [int(entry[:10]) for entry in entries]
    if len(offsets) != int(table[1]) - 1 or any(entry[17:18] != b"n" for entry in entries):
        raise UnexpectedPdfError("the cross-reference table has free or missing entries")
    ends = dict(zip(sorted(offsets), [*sorted(offsets)[1:], start], strict=True))
    objects = {number: pdf[offset : ends[offset]] for number, offset in enumerate(offsets, start=1)}
    if any(not body.startswith(b"%d 0 obj" % number) for number, body in objects.items()):
        raise UnexpectedPdfError("an object is not where the cross-reference table says")
    return pdf[: min(offsets)], objects, table[3]


def _search(pattern: bytes, where: bytes) -> bytes:
    found = re.search(pattern, where)
    if found is None:
        raise UnexpectedPdfError(f"{pattern!r} not found")
    return found[1]


def _last_page(objects: dict[int, bytes], node: int) -> int:
    while re.search(rb"/Type/Pages\b", objects[node]):
        node = int(re.findall(rb"(\d+) 0 R", _search(rb"/Kids ?\[([^\]]*)\]", objects[node]))[-1])
    return node


def _extend(body: bytes, entries: bytes) -> bytes:
    """Adds entries to the object's own dictionary, whose end is the last `>>` of an object without a stream."""
    head, closing, tail = body.rpartition(b">>")
    if not closing or b"endobj" not in tail:
        raise UnexpectedPdfError("not a plain dictionary object")
    return head + entries + closing + tail


def _field(number: int, panel: Panel, page: int) -> tuple[bytes, bytes]:
    """The widget, printed (/F 4), and its empty appearance: full /BBox and no /Filter, which PDF/A and signature validators ask for."""
    left, top = round(panel.left * MM, 2), round((PAGE_HEIGHT_MM - panel.top) * MM, 2)
    width, height = round(panel.width * MM, 2), round(panel.height * MM, 2)
    label = ("\ufeff" + panel.label).encode("utf-16-be").hex().encode()
    widget = (
        b"%d 0 obj\n<</Type/Annot/Subtype/Widget/FT/Sig/T(%s)/TU<%s>/F 4/Rect[%.2f %.2f %.2f %.2f]/P %d 0 R/AP<</N %d 0 R>>>>\nendobj\n"
        % (number, panel.name.encode(), label, left, top - height, left + width, top, page, number + 1)
    )
    appearance = b"%d 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 %.2f %.2f]/Resources<<>>/Length 0>>\nstream\n\nendstream\nendobj\n" % (
        number + 1,
        width,
        height,
    )
    return widget, appearance


def _put_together(header: bytes, objects: dict[int, bytes], trailer: bytes) -> bytes:
    parts = [header]
    position = len(header)
    table = [b"0000000000 65535 f \n"]
    for number in sorted(objects):
        table.append(b"%010d 00000 n \n" % position)
        parts.append(objects[number])
        position += len(objects[number])
    size = len(objects) + 1
    parts += [
        b"xref\n0 %d\n" % size,
        *table,
        b"trailer\n",
        re.sub(rb"/Size \d+", b"/Size %d" % size, trailer),
        b"startxref\n%d\n%%%%EOF\n" % position,
    ]
    return b"".join(parts)
