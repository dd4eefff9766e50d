"""The revision that holds one signature: the widget with its value, the signature dictionary, and the catalog if it has to change."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.means.pdf.base import Base
from services.means.pdf.syntax import ForeignPdf, array, dictionary, integer, reference, text, written, written_text
from services.signing.pades.stamp import Stamp, appearance

SIGNED_FLAGS: Final = 3
"""Signatures exist, and the file may only be appended to."""
MOST_FIELDS: Final = 500
_ESIC: Final = b"<</Type/DeveloperExtensions/BaseVersion/1.7/ExtensionLevel 1>>"
_FORM_FILLING: Final = b"/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/V/1.2/P 2>>>>]"
_RANGE: Final = b"[0 %10d %10d %10d]"
_NEVER_OURS: Final = (b"/Kids", b"/Lock", b"/SV", b"/Parent")
"""A field of several widgets, with locks, with wishes about how to sign it, or inside another field."""


class NoEmptyField(ValueError):
    """The document has no field of that name that waits for a signature."""


@dataclass(frozen=True)
class Revision:
    """What is appended, in the two parts that are hashed: up to the `<` of Contents, and from behind its `>`."""

    before: bytes
    after: bytes


@dataclass(frozen=True)
class _Object:
    number: int
    generation: int
    parts: tuple[bytes, ...]
    """One part, or what stands before and behind Contents."""


@dataclass(frozen=True)
class _Field:
    number: int
    generation: int
    entries: dict[bytes, bytes]


def make(
    base: Base, field: str, *, at: int, room: int, signed_at: datetime, name: str, reason: str, mark: bytes, stamp: Stamp | None
) -> Revision:
    """The revision to append at the position `at`; `room` bytes of CMS fit into Contents. `mark` (16 bytes) tells this revision
    from others.

    Raises NoEmptyField, ForeignPdf.
    """
    root = reference(base.trailer.get(b"/Root", b""))
    if root is None:
        raise ForeignPdf("the file has no catalog")
    data, position, root_generation = base.body(root[0])
    catalog, _ = dictionary(data, position)
    form_at = reference(catalog.get(b"/AcroForm", b""))
    form = base.dictionary(catalog[b"/AcroForm"]) if b"/AcroForm" in catalog else {}
    chosen, first = _find(base, form, field)
    size = integer(base.trailer.get(b"/Size"))
    drawn = appearance(stamp, chosen.entries, size + 1) if stamp else []
    widget = {**chosen.entries, b"/V": b"%d 0 R" % size}
    if drawn:
        widget[b"/AP"] = b"<</N %d 0 R>>" % drawn[0][0]
    changed_catalog = dict(catalog)
    objects = [
        _signature(size, signed_at=signed_at, name=name, reason=reason, certifies=first),
        _Object(chosen.number, chosen.generation, (written(widget),)),
        *(_Object(number, 0, (body,)) for number, body in drawn),
    ]
    if integer(form.get(b"/SigFlags", b"0")) & SIGNED_FLAGS != SIGNED_FLAGS:
        flagged = written({**form, b"/SigFlags": b"%d" % SIGNED_FLAGS})
        if form_at is None:
            changed_catalog[b"/AcroForm"] = flagged
        else:
            objects.append(_Object(form_at[0], base.body(form_at[0])[2], (flagged,)))
    if first:
        _certify(changed_catalog, base, size)
    if changed_catalog != catalog:
        objects.append(_Object(root[0], root_generation, (written(changed_catalog),)))
    return _put_together(base, objects, at=at, room=room, size=size + 1 + len(drawn), mark=mark)


def _find(base: Base, form: dict[bytes, bytes], name: str) -> tuple[_Field, bool]:
    """The empty field, and whether the document has no signature yet."""
    chosen, first = None, True
    waiting = array(base.resolved(form[b"/Fields"])[0][base.resolved(form[b"/Fields"])[1] :]) if b"/Fields" in form else []
    seen = 0
    while waiting:
        where = reference(waiting.pop())
        seen += 1
        if where is None or seen > MOST_FIELDS:
            raise ForeignPdf("the form has a field that is no object of its own, or too many fields")
        data, position, generation = base.body(where[0])
        entries, _ = dictionary(data, position)
        filled = entries.get(b"/V", b"null") != b"null"
        if filled and entries.get(b"/FT", b"/Sig") == b"/Sig":
            first = False
        if b"/Kids" in entries:
            kids, at = base.resolved(entries[b"/Kids"])
            waiting += array(kids[at:])
        if b"/T" in entries and text(entries[b"/T"]) == name and not filled and entries.get(b"/FT") == b"/Sig":
            if chosen or any(key in entries for key in _NEVER_OURS):
                raise ForeignPdf("the field is not one that our rendering placed")
            chosen = _Field(where[0], generation, entries)
    if chosen is None:
        raise NoEmptyField(name)
    return chosen, first


def _certify(catalog: dict[bytes, bytes], base: Base, signature: int) -> None:
    if b"/Perms" in catalog:
        raise ForeignPdf("the file has permissions, but no signature")
    extensions = base.dictionary(catalog[b"/Extensions"]) if b"/Extensions" in catalog else {}
    catalog[b"/Extensions"] = written({b"/ESIC": _ESIC, **extensions})
    catalog[b"/Perms"] = b"<</DocMDP %d 0 R>>" % signature


def _signature(number: int, *, signed_at: datetime, name: str, reason: str, certifies: bool) -> _Object:
    before = b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M(D:%s)/Name%s/Reason%s%s/ByteRange%s/Contents" % (
        signed_at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode("ascii"),
        written_text(name),
        written_text(reason),
        _FORM_FILLING if certifies else b"",
        _RANGE,
    )
    return _Object(number, 0, (before, b">>"))


def _put_together(base: Base, objects: list[_Object], *, at: int, room: int, size: int, mark: bytes) -> Revision:
    """The signature is the first object, so that everything which depends on where things are comes behind it."""
    signature, *others = objects
    before = b"%d 0 obj\n%s" % (signature.number, signature.parts[0])
    gap_start = at + len(before) + len(_RANGE % (0, 0, 0)) - len(_RANGE)
    gap_end = gap_start + 2 * room + 2
    after = [signature.parts[1] + b"\nendobj\n"]
    position = gap_end + len(after[0])
    places = {signature.number: (at, 0)}
    for each in others:
        body = b"%d %d obj\n%s\nendobj\n" % (each.number, each.generation, each.parts[0])
        places[each.number] = (position, each.generation)
        after.append(body)
        position += len(body)
    after.append(_references(base, places, position, size, mark))
    rest = b"".join(after)
    return Revision(before.replace(_RANGE, _RANGE % (gap_start, gap_end, len(rest))), rest)


def _references(base: Base, places: dict[int, tuple[int, int]], position: int, size: int, mark: bytes) -> bytes:
    """In the kind that the revision before has."""
    trailer: dict[bytes, bytes] = {key: base.trailer[key] for key in (b"/Root", b"/Info") if key in base.trailer}
    if b"/ID" in base.trailer:
        identity, start = base.resolved(base.trailer[b"/ID"])
        trailer[b"/ID"] = b"[%s<%s>]" % (array(identity[start:])[0], mark.hex().upper().encode("ascii"))
    trailer[b"/Prev"] = b"%d" % base.start
    if base.is_table:
        trailer[b"/Size"] = b"%d" % size
        rows = []
        for run in _runs(sorted(places)):
            rows.append(b"%d %d\n" % (run[0], len(run)))
            rows += [b"%010d %05d n \n" % places[number] for number in run]
        return b"xref\n%strailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (b"".join(rows), written(trailer), position)
    places = {**places, size: (position, 0)}
    runs = _runs(sorted(places))
    content = b"".join(
        b"\x01" + places[number][0].to_bytes(5, "big") + places[number][1].to_bytes(2, "big") for run in runs for number in run
    )
    trailer |= {
        b"/Type": b"/XRef",
        b"/Size": b"%d" % (size + 1),
        b"/W": b"[1 5 2]",
        b"/Index": b"[%s]" % b" ".join(b"%d %d" % (run[0], len(run)) for run in runs),
        b"/Length": b"%d" % len(content),
    }
    body = b"%d 0 obj\n%s\nstream\n%s\nendstream\nendobj\n" % (size, written(trailer), content)
    return b"%sstartxref\n%d\n%%%%EOF\n" % (body, position)


def _runs(numbers: list[int]) -> list[list[int]]:
    """Sorted numbers in runs without gaps."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] + 1 == number:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs
