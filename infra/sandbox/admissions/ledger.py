"""What the portal knows: pushes, their receipts or refusals, and revocations. DIR/admissions/admissions.sqlite."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.sandbox.gateway.ledger import moment

SCHEMA = """
create table if not exists pushes (
  id text primary key, digest text not null, sender text not null, uuid text not null, version integer not null, school text not null,
  year text not null, class text not null, pdf_sha256 text not null, xml_sha256 text not null, state text not null,
  received_at text not null, number text, receipt text, code text, reason text, decided_at text
);
create table if not exists arrivals (push_id text not null, at text not null);
create table if not exists revocations (
  push_id text primary key, uuid text not null, school text not null, why text not null, at text not null
);
"""
SHOWN = "id as pushId, state, received_at as receivedAt, receipt, code, reason, decided_at as decidedAt"


@dataclass(frozen=True)
class Push:
    id: str
    digest: str
    sender: str
    uuid: str
    version: int
    school: str
    year: str
    class_name: str
    pdf_sha256: str
    xml_sha256: str
    received_at: str


class Ledger:
    def __init__(self, directory: Path) -> None:
        self.files = directory / "pushes"
        self.files.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(directory / "admissions.sqlite", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("pragma journal_mode=wal")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def file_of(self, push_id: str) -> Path:
        return self.files / f"{push_id}.zip"

    def arrived(self, push_id: str) -> None:
        """Each time that a push comes, however often it has come before."""
        self._db.execute("insert into arrivals values (?,?)", (push_id, moment()))

    def digest_of(self, push_id: str) -> str | None:
        row = self._db.execute("select digest from pushes where id=?", (push_id,)).fetchone()
        return None if row is None else str(row["digest"])

    def add(self, push: Push) -> None:
        """Struck out from the beginning when it was revoked before it came."""
        struck = self._db.execute("select 1 from revocations where push_id=?", (push.id,)).fetchone() is not None
        row = (
            push.id, push.digest, push.sender, push.uuid, push.version, push.school, push.year, push.class_name, push.pdf_sha256,
            push.xml_sha256, "REVOKED" if struck else "RECEIVED", push.received_at,
        )  # fmt: skip
        self._db.execute("insert into pushes values (?,?,?,?,?,?,?,?,?,?,?,?,null,null,null,null,null)", row)

    def push(self, push_id: str) -> Push | None:
        row = self._db.execute("select * from pushes where id=?", (push_id,)).fetchone()
        if row is None:
            return None
        names = ("id", "digest", "sender", "uuid", "version", "school", "year", "class", "pdf_sha256", "xml_sha256", "received_at")
        return Push(*(row[name] for name in names))

    def waiting(self) -> list[str]:
        return [str(row["id"]) for row in self._db.execute("select id from pushes where state='RECEIVED' order by received_at")]

    def standing(self, push_id: str) -> dict[str, Any] | None:
        """What the sender is told; null fields are left out."""
        row = self._db.execute(f"select {SHOWN} from pushes where id=?", (push_id,)).fetchone()  # noqa: S608 - the columns stand above
        if row is not None:
            return {key: row[key] for key in row.keys() if row[key] is not None}  # noqa: SIM118 - a row has no items
        struck = self._db.execute("select at from revocations where push_id=?", (push_id,)).fetchone()
        return None if struck is None else {"pushId": push_id, "state": "REVOKED", "decidedAt": struck["at"]}

    def has_receipt(self, uuid: str) -> bool:
        return self._db.execute("select 1 from pushes where uuid=? and state='RECEIPTED'", (uuid,)).fetchone() is not None

    def next_number(self, year: str) -> str:
        """Consecutive in a school year: "TS-2025-000001"."""
        taken = self._db.execute("select count(*) from pushes where number is not null and year=?", (year,)).fetchone()[0]
        return f"TS-{year[:4]}-{int(taken) + 1:06}"

    def settle(self, push_id: str, *, number: str | None = None, receipt: str | None = None, code: str | None, reason: str | None) -> None:
        """One answer, for ever; a push that was struck out meanwhile stays so."""
        state = "RECEIPTED" if code is None else "REFUSED"
        self._db.execute(
            "update pushes set state=?, number=?, receipt=?, code=?, reason=?, decided_at=? where id=? and state='RECEIVED'",
            (state, number, receipt, code, reason, moment(), push_id),
        )

    def revoke(self, push_id: str, uuid: str, school: str, why: str) -> None:
        """Once; also what is not there yet."""
        self._db.execute("insert or ignore into revocations values (?,?,?,?,?)", (push_id, uuid, school, why, moment()))
        self._db.execute("update pushes set state='REVOKED', decided_at=? where id=? and state<>'REVOKED'", (moment(), push_id))

    def of_school(self, school: str) -> dict[str, list[dict[str, Any]]]:
        """Everything that a school sent and what became of it."""
        queries = {
            "pushes": "select pushes.*, (select count(*) from arrivals where push_id=id) as arrivals from pushes where school=?",
            "revocations": "select * from revocations where school=?",
        }
        return {name: [dict(row) for row in self._db.execute(f"{query} order by rowid", (school,))] for name, query in queries.items()}


def compact(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
