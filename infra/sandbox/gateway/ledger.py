"""What the gateway knows: packages, results, what it holds, and callbacks to be delivered. DIR/gateway/gateway.sqlite."""

import json
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.sandbox.gateway.manifest import Entry, Manifest
from infra.sandbox.gateway.validation import Finding
from infra.sandbox.gateway.withdrawals import Order

SCHEMA = """
create table if not exists packages (
  id text primary key, digest text not null, sender text not null, school text not null, year text not null, class text not null,
  created_at text not null, callback text not null, received_at text not null, done_at text
);
create table if not exists arrivals (package_id text not null, at text not null);
create table if not exists results (
  package_id text not null references packages(id), uuid text not null, version integer not null, pupil text not null,
  pdf_sha256 text not null, xml_sha256 text not null, status text not null, code text, reason text, at text,
  primary key (package_id, uuid)
);
create table if not exists holdings (
  uuid text primary key, version integer not null, package_id text not null, school text not null, year text not null,
  class text not null, pupil text not null, pdf_sha256 text not null, xml_sha256 text not null, accepted_at text not null
);
create table if not exists withdrawals (
  id text primary key, digest text not null, uuid text not null, version integer not null, school text not null, decided_by text not null,
  decided_at text not null, state text not null, code text, reason text, at text not null
);
create table if not exists events (
  id text primary key, package_id text not null unique, url text not null, body text not null, attempts integer not null default 0,
  delivered_at text
);
"""


@dataclass(frozen=True)
class Event:
    id: str
    package_id: str
    url: str
    body: str
    attempts: int


def moment() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Ledger:
    def __init__(self, directory: Path) -> None:
        self.files = directory / "packages"
        self.files.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(directory / "gateway.sqlite", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("pragma journal_mode=wal")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def file_of(self, package_id: str) -> Path:
        return self.files / f"{package_id}.zip"

    def digest_of(self, package_id: str) -> str | None:
        row = self._db.execute("select digest from packages where id=?", (package_id,)).fetchone()
        return None if row is None else str(row["digest"])

    def sender_of(self, package_id: str) -> str:
        return str(self._db.execute("select sender from packages where id=?", (package_id,)).fetchone()["sender"])

    def arrived(self, package_id: str) -> None:
        """Each time that a package comes, however often it has come before."""
        self._db.execute("insert into arrivals values (?,?)", (package_id, moment()))

    def add(self, manifest: Manifest, digest: str, sender: str) -> None:
        """The package with all its transcripts pending, at once or not at all."""
        with self._transaction():
            columns = "id, digest, sender, school, year, class, created_at, callback, received_at"
            self._db.execute(
                f"insert into packages ({columns}) values (?,?,?,?,?,?,?,?,?)",  # noqa: S608  the columns stand one line above
                (
                    manifest.package_id, digest, sender, manifest.school, manifest.year, manifest.class_name,
                    manifest.created_at, manifest.callback, moment(),
                ),
            )  # fmt: skip
            self._db.executemany(
                "insert into results values (?,?,?,?,?,?,'PENDING',null,null,null)",
                [(manifest.package_id, each.uuid, each.version, each.pupil, each.pdf.sha256, each.xml.sha256) for each in manifest.entries],
            )

    def receipt(self, package_id: str) -> dict[str, str]:
        """The answer to the sender: the same however often the package comes."""
        row = self._db.execute("select received_at from packages where id=?", (package_id,)).fetchone()
        return {"packageId": package_id, "receivedAt": str(row["received_at"]), "state": "RECEIVED"}

    def package(self, package_id: str) -> dict[str, Any] | None:
        row = self._db.execute("select * from packages where id=?", (package_id,)).fetchone()
        if row is None:
            return None
        return {
            "packageId": row["id"],
            "receivedAt": row["received_at"],
            "state": "PROCESSED" if row["done_at"] else "RECEIVED",
            "processedAt": row["done_at"],
            "schoolCode": row["school"],
            "schoolYear": row["year"],
            "className": row["class"],
            "results": self.results(package_id),
        }

    def results(self, package_id: str) -> list[dict[str, Any]]:
        query = "select uuid, version, status, code, reason, at from results where package_id=? order by rowid"
        return [dict(row) for row in self._db.execute(query, (package_id,))]

    def unfinished(self) -> list[str]:
        return [str(row["id"]) for row in self._db.execute("select id from packages where done_at is null order by received_at")]

    def pending(self, package_id: str) -> set[str]:
        query = "select uuid from results where package_id=? and status='PENDING'"
        return {str(row["uuid"]) for row in self._db.execute(query, (package_id,))}

    def settle(self, manifest: Manifest, entry: Entry, finding: Finding) -> None:
        """Write a transcript's result. What passed is refused after all if another version or file is already held."""
        with self._transaction():
            if finding.code is None:
                finding = self._hold(manifest, entry)
            status = "ACCEPTED" if finding.code is None else "REJECTED"
            self._db.execute(
                "update results set status=?, code=?, reason=?, at=? where package_id=? and uuid=? and status='PENDING'",
                (status, finding.code, finding.reason, moment(), manifest.package_id, entry.uuid),
            )

    def _hold(self, manifest: Manifest, entry: Entry) -> Finding:
        held = self._db.execute("select version, pdf_sha256, xml_sha256 from holdings where uuid=?", (entry.uuid,)).fetchone()
        if held is not None and self._taken_back(entry.uuid) is not None:
            if entry.version <= held["version"]:
                return Finding("NG-502", "Học bạ này đã được thu hồi")
            self._db.execute("delete from holdings where uuid=?", (entry.uuid,))
            held = None
        if held is None:
            row = (
                entry.uuid, entry.version, manifest.package_id, manifest.school, manifest.year, manifest.class_name, entry.pupil,
                entry.pdf.sha256, entry.xml.sha256, moment(),
            )  # fmt: skip
            self._db.execute("insert into holdings values (?,?,?,?,?,?,?,?,?,?)", row)
        elif tuple(held) != (entry.version, entry.pdf.sha256, entry.xml.sha256):
            return Finding("NG-501", "Học bạ đã được tiếp nhận với phiên bản hoặc nội dung khác")
        return Finding()

    def withdraw(self, order: Order, digest: str) -> dict[str, Any]:
        """Obey once: a document of that school and version that is held is taken back, anything else is refused. The answer, for ever."""
        with self._transaction():
            held = self._db.execute("select version, school from holdings where uuid=?", (order.uuid,)).fetchone()
            code, reason = None, None
            if held is None or held["school"] != order.schoolCode:
                code, reason = "NG-601", "Cổng không giữ học bạ này của trường"
            elif held["version"] != order.version:
                code, reason = "NG-602", "Cổng giữ phiên bản khác của học bạ này"
            elif self._taken_back(order.uuid) is not None:
                code, reason = "NG-603", "Học bạ này đã được thu hồi theo yêu cầu khác"
            state = "WITHDRAWN" if code is None else "REFUSED"
            row = (
                order.withdrawalId, digest, order.uuid, order.version, order.schoolCode, order.decidedBy, order.decidedAt,
                state, code, reason,
                moment(),
            )  # fmt: skip
            self._db.execute("insert or ignore into withdrawals values (?,?,?,?,?,?,?,?,?,?,?)", row)
        found = self.withdrawal(order.withdrawalId)
        assert found is not None
        return found

    def _taken_back(self, identity: str) -> str | None:
        """When the version that is held was taken back."""
        query = (
            "select withdrawals.at from withdrawals"
            " join holdings on holdings.uuid=withdrawals.uuid and holdings.version=withdrawals.version"
            " where withdrawals.uuid=? and state='WITHDRAWN'"
        )
        row = self._db.execute(query, (identity,)).fetchone()
        return None if row is None else str(row["at"])

    def withdrawal(self, withdrawal_id: str) -> dict[str, Any] | None:
        query = "select id as withdrawalId, uuid, version, state, code, reason, at from withdrawals where id=?"
        row = self._db.execute(query, (withdrawal_id,)).fetchone()
        return None if row is None else dict(row)

    def order_digest(self, withdrawal_id: str) -> str | None:
        row = self._db.execute("select digest from withdrawals where id=?", (withdrawal_id,)).fetchone()
        return None if row is None else str(row["digest"])

    def finish(self, manifest: Manifest) -> Event:
        """Close the package and put its callback on the list; a second call changes nothing."""
        with self._transaction():
            self._db.execute("update packages set done_at=? where id=? and done_at is null", (moment(), manifest.package_id))
            identity = str(uuid.uuid4())
            results = [{key: row[key] for key in ("uuid", "status", "code", "reason", "at")} for row in self.results(manifest.package_id)]
            body = json.dumps({"eventId": identity, "packageId": manifest.package_id, "results": results}, ensure_ascii=False)
            self._db.execute(
                "insert or ignore into events (id, package_id, url, body) values (?,?,?,?)",
                (identity, manifest.package_id, manifest.callback, body),
            )
        return self._event(self._db.execute("select * from events where package_id=?", (manifest.package_id,)).fetchone())

    def undelivered(self) -> list[Event]:
        return [self._event(row) for row in self._db.execute("select * from events where delivered_at is null order by rowid")]

    def tried(self, event: Event) -> None:
        self._db.execute("update events set attempts=attempts+1 where id=?", (event.id,))

    def delivered(self, event: Event) -> None:
        self._db.execute("update events set delivered_at=? where id=?", (moment(), event.id))

    def is_delivered(self, package_id: str) -> bool:
        query = "select 1 from events where package_id=? and delivered_at is not null"
        return self._db.execute(query, (package_id,)).fetchone() is not None

    def transcript(self, identity: str) -> dict[str, Any] | None:
        row = self._db.execute("select * from holdings where uuid=?", (identity,)).fetchone()
        if row is None:
            return None
        taken_back = self._taken_back(identity)
        return {
            "uuid": row["uuid"],
            "version": row["version"],
            "status": "ACCEPTED" if taken_back is None else "WITHDRAWN",
            "withdrawnAt": taken_back,
            "packageId": row["package_id"],
            "schoolCode": row["school"],
            "schoolYear": row["year"],
            "className": row["class"],
            "pupilCode": row["pupil"],
            "pdfSha256": row["pdf_sha256"],
            "xmlSha256": row["xml_sha256"],
            "acceptedAt": row["accepted_at"],
        }

    def of_school(self, school: str) -> dict[str, list[dict[str, Any]]]:
        """Packages, the result of every transcript in them, and what is held: all that a school sent and what became of it."""
        queries = {
            "packages": (
                "select id, digest, received_at, done_at, (select count(*) from arrivals where package_id=id) as arrivals"
                " from packages where school=? order by received_at"
            ),
            "results": "select results.* from results join packages on packages.id=package_id where school=? order by results.rowid",
            "holdings": "select * from holdings where school=? order by accepted_at",
            "withdrawals": "select * from withdrawals where school=? order by at",
        }
        return {name: [dict(row) for row in self._db.execute(query, (school,))] for name, query in queries.items()}

    def counts(self) -> dict[str, int]:
        def one(query: str) -> int:
            return int(self._db.execute(query).fetchone()[0])

        return {
            "packages": one("select count(*) from packages"),
            "accepted": one("select count(*) from results where status='ACCEPTED'"),
            "rejected": one("select count(*) from results where status='REJECTED'"),
            "pending": one("select count(*) from results where status='PENDING'"),
            "held": one("select count(*) from holdings"),
            # transcripts that came again in another package although they were held already
            "repeated": one("select count(*) from (select uuid from results where status='ACCEPTED' group by uuid having count(*) > 1)"),
            "withdrawn": one("select count(*) from withdrawals where state='WITHDRAWN'"),
            "callbacks_undelivered": one("select count(*) from events where delivered_at is null"),
        }

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db)

    @staticmethod
    def _event(row: sqlite3.Row) -> Event:
        return Event(row["id"], row["package_id"], row["url"], row["body"], row["attempts"])


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("begin immediate")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("commit" if kind is None else "rollback")
