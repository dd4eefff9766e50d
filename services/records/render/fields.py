"""The three empty signature fields, put into a PDF that Typst has just written.

The file is put together again with the fields inside its only revision, so the first signer's increment is the first change
after rendering. Signers find the fields by name and never move them: GVCN (homeroom teacher), CBQL (leader), KY_PHAT_HANH (school).
Each field stands in the structure tree as a form element of its own, which PDF/UA asks for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MM: Final = 72 / 25.4


@dataclass(frozen=True)
class Panel:
    """A field's place on the last page in millimetres from its top left corner; the templates draw the frame there."""

    name: str
    label: str
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Sheet:
    """The paper of a form in millimetres, and the block at the foot of its last page that holds the fields."""

    width: float
    height: float
    margin_left: float
    block_top: float
    block_height: float
    panels: tuple[Panel, ...]


_HOMEROOM: Final = ("GVCN", "Chữ ký số của giáo viên chủ nhiệm")
_LEADER: Final = ("CBQL", "Chữ ký số của lãnh đạo nhà trường")
_SCHOOL: Final = ("KY_PHAT_HANH", "Chữ ký số phát hành của nhà trường")
SIGNATURE: Final = (70.0, 20.0)
SEAL: Final = (74.0, 37.0)
"""Room for the seal in its true size (36 mm across) with the words of the signature beside it."""


def _landscape(width: float, height: float) -> Sheet:
    """Leader, school and homeroom teacher beside each other."""
    top = height - 15.0 - 62.0
    middle = (width - SEAL[0]) / 2
    return Sheet(
        width=width,
        height=height,
        margin_left=15.0,
        block_top=top,
        block_height=62.0,
        panels=(
            Panel(*_HOMEROOM, width - 25.0 - SIGNATURE[0], top + 24.0, *SIGNATURE),
            Panel(*_LEADER, 25.0, top + 24.0, *SIGNATURE),
            Panel(*_SCHOOL, middle, top + 24.0, *SEAL),
        ),
    )


A4: Final = Sheet(
    width=210.0,
    height=297.0,
    margin_left=25.0,
    block_top=170.0,
    block_height=107.0,
    panels=(
        Panel(*_HOMEROOM, 115.0, 199.0, *SIGNATURE),
        Panel(*_LEADER, 30.0, 199.0, *SIGNATURE),
        Panel(*_SCHOOL, 111.0, 238.0, *SEAL),
    ),
)
A4_LANDSCAPE: Final = _landscape(297.0, 210.0)
A3_LANDSCAPE: Final = _landscape(420.0, 297.0)
PANELS: Final = A4.panels
PAGE_HEIGHT_MM: Final = A4.height


class UnexpectedPdfError(ValueError):
    """The PDF is not written the way the pinned Typst writes it."""


def add_signature_fields(pdf: bytes, sheet: Sheet = A4) -> bytes:
    """The same document with the empty fields on its last page and /SigFlags 3; ends in a newline.

    Expects what Typst writes: one revision, a cross-reference table, no object streams, tags with one document element.
    Raises UnexpectedPdfError for anything else.
    """
    header, objects, trailer = _take_apart(pdf)
    root = int(_search(rb"/Root (\d+) 0 R", trailer))
    last_page = _last_page(objects, int(_search(rb"/Pages (\d+) 0 R", objects[root])))
    tree = int(_search(rb"/StructTreeRoot (\d+) 0 R", objects[root]))
    document = int(_search(rb"/K ?\[(\d+) 0 R\]", objects[tree]))
    next_key = int(_search(rb"/ParentTreeNextKey (\d+)", objects[tree]))
    first = len(objects) + 1
    widgets, elements, parents = [], [], []
    for offset, panel in enumerate(sheet.panels):
        number, key = first + 3 * offset, next_key + offset
        objects[number], objects[number + 2] = _field(
            number, panel, appearance_number=number + 2, page=last_page, page_height=sheet.height, key=key
        )
        objects[number + 1] = _form_element(number + 1, panel, last_page, document)
        widgets.append(b"%d 0 R" % number)
        elements.append(b"%d 0 R" % (number + 1))
        parents.append(b"%d %d 0 R" % (key, number + 1))
    references = b" ".join(widgets)
    objects[root] = _extend(objects[root], b"/AcroForm<</Fields[%s]/SigFlags 3>>" % references)
    if b"/Annots" in objects[last_page]:
        objects[last_page] = _replaced(rb"/Annots ?\[", b"/Annots[%s " % references, objects[last_page])
    else:
        objects[last_page] = _extend(objects[last_page], b"/Annots[%s]" % references)
    objects[tree] = _replaced(rb"(/ParentTree ?<<.*?/Nums ?\[[^\]]*)\]", rb"\1 %s]" % b" ".join(parents), objects[tree])
    objects[tree] = _replaced(rb"/ParentTreeNextKey \d+", b"/ParentTreeNextKey %d" % (next_key + len(parents)), objects[tree])
    objects[document] = _replaced(rb"(/K ?\[[^\]]*)\]", rb"\1 %s]" % b" ".join(elements), objects[document])
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


def _replaced(pattern: bytes, new: bytes, where: bytes) -> bytes:
    replaced, times = re.subn(pattern, new, where, count=1, flags=re.DOTALL)
    if not times:
        raise UnexpectedPdfError(f"{pattern!r} not found")
    return replaced


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


def _field(number: int, panel: Panel, *, appearance_number: int, page: int, page_height: float, key: int) -> tuple[bytes, bytes]:
    """The widget, printed (/F 4), and its empty appearance: full /BBox and no /Filter, which PDF/A and signature validators ask for."""
    left, top = round(panel.left * MM, 2), round((page_height - panel.top) * MM, 2)
    width, height = round(panel.width * MM, 2), round(panel.height * MM, 2)
    widget = (
        b"%d 0 obj\n<</Type/Annot/Subtype/Widget/FT/Sig/T(%s)/TU<%s>/F 4/Rect[%.2f %.2f %.2f %.2f]/P %d 0 R/StructParent %d"
        b"/AP<</N %d 0 R>>>>\nendobj\n"
        % (number, panel.name.encode(), _text(panel.label), left, top - height, left + width, top, page, key, appearance_number)
    )
    appearance = b"%d 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 %.2f %.2f]/Resources<<>>/Length 0>>\nstream\n\nendstream\nendobj\n" % (
        appearance_number,
        width,
        height,
    )
    return widget, appearance


def _form_element(number: int, panel: Panel, page: int, document: int) -> bytes:
    """Found from the widget by its /StructParent. It holds no reference back: EU DSS takes a signature that is reached through the
    structure tree for a forbidden change of the document. Its role says what it is instead, which PDF/UA allows."""
    role = b"/A<</O/PrintField/Role/tv>>"
    shown = _text(panel.label)
    return b"%d 0 obj\n<</Type/StructElem/S/Form/P %d 0 R/Pg %d 0 R/Alt<%s>%s>>\nendobj\n" % (number, document, page, shown, role)


def _text(text: str) -> bytes:
    return ("\ufeff" + text).encode("utf-16-be").hex().encode()


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
