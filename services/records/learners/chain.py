"""The learner record ("hồ sơ học tập suốt đời"): one pupil's transcripts over years and schools, each naming the year before by digest.

Plain data in, rows out. Sources: domain.md; seed 004, III.3.3 (the years of one pupil are linked, and stay whole).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Stored = Mapping[str, Any]
Link = Literal["NONE", "MATCH", "MISMATCH", "REPLACED", "ABSENT"]
LINK_WORDS: dict[Link, str] = {
    "NONE": "Không ghi học bạ năm trước",
    "MATCH": "Khớp với học bạ năm trước",
    "MISMATCH": "Không khớp với tệp học bạ năm trước đang lưu",
    "REPLACED": "Học bạ năm trước được ghi đã có phiên bản thay thế",
    "ABSENT": "Học bạ năm trước không lưu tại đây nên chưa kiểm tra được",
}


@dataclass(frozen=True)
class Version:
    """One version of a year's transcript; `document` leads to its files: ("own" or "received", id), None where this school holds none."""

    id: str
    version: int
    state: str
    live: bool
    replaces: str | None
    link: Link
    linked_to: str = ""
    document: tuple[str, str] | None = None
    sealed: bool = False
    digitised: bool = False


@dataclass(frozen=True)
class Year:
    """One school year at one school. `origin`: "own", "received" in a transfer package, "elsewhere" in this installation (facts alone)."""

    year: str
    school: str
    school_name: str
    class_name: str
    origin: Literal["own", "received", "elsewhere"]
    status: str = ""
    versions: tuple[Version, ...] = ()

    @property
    def standing(self) -> Version | None:
        return next((v for v in reversed(self.versions) if v.live), None)


@dataclass
class Held:
    """Everything that is held of one pupil. `pupils`: the own school's, by year; `transcripts`: of all schools; `received`: by this one."""

    school: str
    school_name: str
    pupils: Sequence[Stored]
    transcripts: Sequence[Stored]
    received: Sequence[Stored]
    classes: Mapping[tuple[str, str], str] = field(default_factory=dict)


def link_of(previous: Stored | None, known: Mapping[str, Stored]) -> Link:
    """Whether the document that is named as the year before is the one that is held. `known`: by id, {live, pdf, xml (digests)}."""
    if previous is None:
        return "NONE"
    found = known.get(previous["transcript"])
    if found is None:
        return "ABSENT"
    if not found["live"]:
        return "REPLACED"
    same = found["pdf"] == previous["pdf_sha256"] and found["xml"] == previous["xml_sha256"]
    return "MATCH" if same else "MISMATCH"


def timeline(held: Held) -> list[Year]:
    """Newest year first. Of other schools only years before the last one here: what comes after is the next school's to know."""
    known = _known(held)
    rows = [_own(held, year, known) for year in sorted(_own_years(held))]
    rows += [_received(r, known) for r in held.received]
    shown = {(row.year, row.school) for row in rows}
    last = max((row.year for row in rows), default="")
    elsewhere: dict[tuple[str, str], list[Stored]] = {}
    for t in held.transcripts:
        place = (t["year"], t["school"])
        if t["school"] != held.school and place not in shown and t["year"] < last:
            elsewhere.setdefault(place, []).append(t)
    rows += [_elsewhere(found, known) for found in elsewhere.values()]
    return sorted(rows, key=lambda row: (row.year, row.school), reverse=True)


def _known(held: Held) -> dict[str, Stored]:
    known: dict[str, Stored] = {
        r["document"]["id"]: {"live": True, "pdf": r["pdf"]["sha256"], "xml": r["xml"]["sha256"]} for r in held.received
    }
    for t in held.transcripts:
        known[t["_id"]] = {"live": t["live"], **{kind: (t.get(kind) or {}).get("sha256") for kind in ("pdf", "xml")}}
    return known


def _own_years(held: Held) -> set[str]:
    return {p["year"] for p in held.pupils} | {t["year"] for t in held.transcripts if t["school"] == held.school}


def _own(held: Held, year: str, known: Mapping[str, Stored]) -> Year:
    pupil = next((p for p in held.pupils if p["year"] == year), None)
    found = [t for t in held.transcripts if t["year"] == year and t["school"] == held.school]
    code = pupil["class_code"] if pupil else found[-1]["class_code"]
    return Year(
        year=year,
        school=held.school,
        school_name=held.school_name,
        class_name=held.classes.get((year, code), code),
        origin="own",
        status=((pupil or {}).get("data") or {}).get("status", ""),
        versions=tuple(_version(t, known, document=("own", t["_id"])) for t in found),
    )


def _elsewhere(found: Sequence[Stored], known: Mapping[str, Stored]) -> Year:
    newest = found[-1]
    content = newest["content"]
    return Year(
        year=newest["year"],
        school=newest["school"],
        school_name=content["school"]["name"],
        class_name=content["school_class"]["name"],
        origin="elsewhere",
        versions=tuple(_version(t, known, document=None) for t in found),
    )


def _received(received: Stored, known: Mapping[str, Stored]) -> Year:
    document = received["document"]
    version = Version(
        id=document["id"],
        version=document["version"],
        state="SIGNED",
        live=True,
        replaces=None,
        link=link_of(document.get("previous"), known),
        linked_to=(document.get("previous") or {}).get("year", ""),
        document=("received", received["_id"]),
        sealed=True,
    )
    return Year(
        year=document["year"],
        school=document["school"],
        school_name=document["school_name"],
        class_name=document["class_name"],
        origin="received",
        versions=(version,),
    )


def _version(t: Stored, known: Mapping[str, Stored], *, document: tuple[str, str] | None) -> Version:
    previous = t["content"].get("previous")
    return Version(
        id=t["_id"],
        version=t["version"],
        state=t["state"],
        live=t["live"],
        replaces=t["replaces"],
        link=link_of(previous, known),
        linked_to=(previous or {}).get("year", ""),
        document=document,
        sealed=bool(t.get("pdf")),
        digitised=bool(t["content"].get("digitised")),
    )
