"""What goes into the archive package of a year, in order: names and references, no contents."""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from contracts.documents import DocumentRef
from services.chassis.web.look import vn_date, vn_time
from services.chassis.xlsx import workbook
from services.records.archive.readme import texts, tools
from services.records.transcripts.states import WORDS, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from services.records.schoolyear import School

SEALED = ("SIGNED", "CONFIRMED", "SUBMITTED", "ACCEPTED", "REJECTED", "WITHDRAWAL_PENDING")
"""States of a document that carries the school's signature and stands."""
Item = tuple[str, DocumentRef]
File = tuple[str, bytes]
LIST_COLUMNS = (
    "STT",
    "Mã học sinh",
    "Họ và tên",
    "Ngày sinh",
    "Giới tính",
    "Số định danh cá nhân",
    "Trạng thái",
    "Học bạ",
    "Mã định danh học bạ",
)


def safe(text: str) -> str:
    """A part of a name in a package: ASCII letters, digits, `.`, `_`, `-`."""
    plain = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D")).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", plain).strip(".-")[:60] or "_"


def folders(codes: Iterable[str]) -> dict[str, str]:
    """A folder of its own for each class."""
    found: dict[str, str] = {}
    for code in codes:
        name, number = safe(code), 2
        while name.lower() in {taken.lower() for taken in found.values()}:
            name, number = f"{safe(code)}_{number}", number + 1
        found[code] = name
    return found


def sealed_files(document: Mapping[str, Any], folder: str) -> list[Item]:
    """PDF, XML and evidence record (`ers`, once there is one) of a document that stands sealed; nothing of one that does not."""
    if document["state"] not in SEALED:
        return []
    kinds = [(kind, document.get(kind)) for kind in ("pdf", "xml", "ers")]
    return [(f"{folder}/{document['_id']}.{kind}", DocumentRef.model_validate(ref)) for kind, ref in kinds if ref]


def beside(school: School, *, at: dt.datetime, by: str, number: int, counts: Mapping[str, int], certificate: bytes) -> list[File]:
    """Readme, checker, schema and stylesheet."""
    facts = [
        ("Trường", f"{school.name} (mã {school.code})"),
        ("Năm học", school.year),
        ("Lần đóng gói", str(number)),
        ("Lập lúc", vn_time(at)),
        ("Người lập (mã)", by),
        ("Số học bạ trong gói", str(counts["sealed"])),
        ("Số học bạ chưa hoàn thành ký, không có trong gói", str(counts["unsealed"])),
        ("Số tệp kèm theo khác (bảng tổng hợp, biên bản, phiếu)", str(counts["others"])),
    ]
    return [*texts("Gói lưu trữ học bạ số", facts, certificate), *tools()]


def index(transcripts: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> File:
    """One line a transcript, for programs: what stands where, also what is not in the package and why."""
    lines = []
    for t in transcripts:
        files = {ref[0].rpartition(".")[2]: ref[0] for ref in sealed_files(t, f"hoc-ba/{names[t['class_code']]}")}
        told = {k: t.get(k) for k in ("version", "replaces", "state", "class_code", "pupil_code")}
        lines.append(json.dumps({"id": t["_id"], **told, "files": files}, ensure_ascii=False, sort_keys=True) + "\n")
    return "danh-muc.jsonl", "".join(lines).encode()


def class_list(name: str, pupils: Sequence[Mapping[str, Any]], transcripts: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The workbook of one class; runs in a process of the pool."""
    rows: list[list[str | int]] = []
    for number, pupil in enumerate(pupils, start=1):
        data, transcript = pupil["data"] or {}, transcripts.get(pupil["code"])
        state = WORDS.get(State(transcript["state"]), "") if transcript else WORDS[State.NOT_CREATED]
        born = data.get("born")
        rows.append(
            [
                *(number, pupil["code"], pupil["name"], _day(born), data.get("sex", ""), data.get("personal_id", "")),
                *(data.get("status", ""), state, transcript["_id"] if transcript else ""),
            ]
        )
    return workbook(f"Lớp {safe(name)}", LIST_COLUMNS, rows)


def _day(iso: str | None) -> str:
    return vn_date(dt.date.fromisoformat(iso)) if iso else ""
