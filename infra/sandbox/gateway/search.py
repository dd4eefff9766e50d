"""Looking up what the gateway holds: of one school, by the fields of menu 2.9, whichever system sent it. DIR/gateway/gateway.sqlite."""

import sqlite3
import unicodedata
import zipfile
import zlib
from pathlib import Path
from typing import Annotated, Any, Literal

from lxml import etree
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from infra.sandbox.gateway.manifest import Entry, Manifest
from infra.sandbox.gateway.schemas import parse

SCHEMA = """
create table if not exists persons (
  uuid text primary key, grade integer, name text not null, folded text not null, personal_id text not null, sender text not null
);
"""
MOST = 200
"""Results of one answer."""
STATUS = (
    "case when exists (select 1 from withdrawals w where w.uuid = h.uuid and w.version = h.version and w.state = 'WITHDRAWN')"
    " then 'WITHDRAWN' else 'ACCEPTED' end"
)

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]


class SearchOrder(BaseModel):
    """Fields left out find everything; `pupilName` is a part of the name, with or without diacritics."""

    model_config = ConfigDict(extra="forbid")

    schoolCode: Annotated[str, StringConstraints(min_length=1, max_length=40)]  # noqa: N815 - as the contract has it
    schoolYear: Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-20[0-9]{2}$")] | None = None  # noqa: N815 - as the contract has it
    grade: Annotated[int, Field(ge=1, le=12)] | None = None
    className: Words | None = None  # noqa: N815 - as the contract has it
    pupilName: Words | None = None  # noqa: N815 - as the contract has it
    personalId: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")] | None = None  # noqa: N815 - as the contract has it
    uuid: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")] | None = None
    status: Literal["ACCEPTED", "WITHDRAWN"] | None = None
    page: Annotated[int, Field(ge=1, le=100_000)] = 1


class Foreign(BaseModel):
    """What POST /control/holdings puts there as if another system had sent it."""

    model_config = ConfigDict(extra="forbid")

    uuid: str
    school: str
    year: str
    class_name: str
    grade: int
    pupil: str
    name: str
    personal_id: str = ""
    version: int = 1
    sender: str = "other-system"


class Persons:
    """Who the held transcripts are of; beside the ledger, in its database."""

    def __init__(self, directory: Path) -> None:
        self._db = sqlite3.connect(directory / "gateway.sqlite", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def keep(self, package: Path, manifest: Manifest, entry: Entry, sender: str) -> None:
        """Before the result is written, so that what is held can always be found."""
        grade, name, personal_id = said_in(package, entry)
        self._put(entry.uuid, grade, name, personal_id, sender or manifest.school)

    def _put(self, uuid: str, grade: int | None, name: str, personal_id: str, sender: str) -> None:
        row = (uuid, grade, name, folded(name), personal_id, sender)
        self._db.execute("insert or ignore into persons values (?,?,?,?,?,?)", row)

    def put_foreign(self, each: Foreign, at: str) -> None:
        self._put(each.uuid, each.grade, each.name, each.personal_id, each.sender)
        row = (each.uuid, each.version, each.uuid, each.school, each.year, each.class_name, each.pupil, "0" * 64, "0" * 64, at)
        self._db.execute("insert or ignore into holdings values (?,?,?,?,?,?,?,?,?,?)", row)

    def search(self, order: SearchOrder) -> dict[str, Any]:
        wanted = {
            "h.school = ?": order.schoolCode,
            "h.year = ?": order.schoolYear,
            "p.grade = ?": order.grade,
            "h.class = ?": order.className or None,
            "instr(p.folded, ?) > 0": folded(order.pupilName) if order.pupilName else None,
            "p.personal_id = ?": order.personalId,
            "h.uuid = ?": order.uuid,
            f"{STATUS} = ?": order.status,
        }
        asked = {test: value for test, value in wanted.items() if value is not None}
        where = f"from holdings h join persons p on p.uuid = h.uuid where {' and '.join(asked)}"
        total = int(self._db.execute(f"select count(*) {where}", list(asked.values())).fetchone()[0])
        columns = (
            "h.uuid, h.version, h.package_id, h.school, h.year, h.class, p.grade, h.pupil, p.name, p.personal_id, p.sender, h.accepted_at,"
            f" {STATUS} as status"
        )
        rows = self._db.execute(
            f"select {columns} {where} order by h.class, p.folded, h.uuid limit ? offset ?",
            [*asked.values(), MOST, (order.page - 1) * MOST],
        )
        return {"total": total, "page": order.page, "size": MOST, "results": [_shown(row) for row in rows]}


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "uuid": row["uuid"],
        "version": row["version"],
        "status": row["status"],
        "packageId": row["package_id"],
        "schoolCode": row["school"],
        "schoolYear": row["year"],
        "className": row["class"],
        "grade": row["grade"],
        "pupilCode": row["pupil"],
        "pupilName": row["name"],
        "personalId": row["personal_id"] or None,
        "sender": row["sender"],
        "acceptedAt": row["accepted_at"],
    }


def said_in(package: Path, entry: Entry) -> tuple[int | None, str, str]:
    """Grade, name and personal id as the XML says; nothing where it cannot be read, which only skipped validation lets through."""
    try:
        with zipfile.ZipFile(package) as archive:
            root = parse(archive.read(entry.xml.name))
    except (zipfile.BadZipFile, zlib.error, ValueError):
        return None, "", ""
    namespace = etree.QName(root).namespace

    def text(*path: str) -> str:
        return root.findtext("/".join(f"{{{namespace}}}{step}" for step in path), default="").strip()

    grade = text("NoiDung", "Lop", "Khoi")
    number = int(grade) if grade.isdigit() else None
    return number, text("NoiDung", "HocSinh", "HoTen"), text("NoiDung", "HocSinh", "SoDinhDanhCaNhan")


def folded(name: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFD", name.strip()) if not unicodedata.combining(c))
    return " ".join(plain.replace("đ", "d").replace("Đ", "D").casefold().split())
