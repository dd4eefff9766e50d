"""What an inspector gets of a period (003, Điều 13): the entries as they were chained, a workbook to read, and the means to check them.

The package holds the entries of one organisation, a part of the chains of five services. So each entry can be proved by itself;
that none was left out is proved by the chain in the services' own trails, whose heads are named.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.chassis import audit, clock
from services.chassis.audit_chain import canonical
from services.chassis.audit_tell import entry_of
from services.chassis.errors import Refused
from services.chassis.mongo import transaction
from services.chassis.web.look import vn_date, vn_time
from services.chassis.xlsx import workbook
from services.identity.activity import store
from services.identity.activity.search import names_of, period_of, row
from services.identity.errors import PERIOD_TOO_LARGE, WRONG_PERIOD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Database, Document, Session
    from services.chassis.work import Pool

MOST = 20_000
"""Entries in one package."""
HEADERS = (
    "Thời điểm",
    "Mã người thực hiện",
    "Người thực hiện",
    "Việc",
    "Đối tượng",
    "Tên đối tượng",
    "Chi tiết",
    "Địa chỉ mạng",
    "Thiết bị",
    "Mã yêu cầu",
    "Dịch vụ",
    "Số trong chuỗi",
    "Mã băm",
)
CHECKER = Path(__file__).with_name("check_export.py")
READ_ME = """Kết xuất nhật ký hoạt động: {name} ({place})
Từ ngày {first} đến hết ngày {last}. Lập lúc {at}, người lập: {by}.

nhat-ky.xlsx    để đọc
nhat-ky.jsonl   từng mục đúng như đã ghi, kèm số thứ tự và mã băm trong chuỗi
manifest.json   mã SHA-256 của từng tệp, số mục, đầu chuỗi (head) của từng dịch vụ lúc lập gói
kiem_tra.py     chương trình kiểm tra, chỉ cần Python: python3 kiem_tra.py
"""


@dataclass(frozen=True)
class Order:
    place: str
    name: str
    first: str
    last: str
    by: str
    at: dt.datetime


async def package(db: Database, pool: Pool, who: Principal, *, place: str, name: str, first: str, last: str) -> bytes:
    """The zip file; recorded as an act of its own. Raises Refused: WRONG_PERIOD, PERIOD_TOO_LARGE."""
    if not first or not last:
        raise Refused(WRONG_PERIOD)
    wanted = {"place": place, "at": period_of(first, last)}
    if await store.count(db, wanted, most=MOST + 1) > MOST:
        raise Refused(PERIOD_TOO_LARGE, most=MOST)
    entries = [document async for document in store.by_number(db, wanted)]
    names = await names_of(db, entries)
    heads = await store.heads(db)
    order = Order(place, name, first, last, who.person, clock.now())
    content: bytes = await pool.run(packed, order, [lines_of(d) for d in entries], [row(d, names) for d in entries], heads)

    async def work(session: Session) -> None:
        details = {"from": first, "to": last, "count": len(entries), "sha256": hashlib.sha256(content).hexdigest()}
        await audit.record(db, session, actor=who.person, act="audit exported", subject=place, place=place, details=details)

    await transaction(db, work)
    return content


def lines_of(document: Document) -> dict[str, Any]:
    act = store.sealed_act(document)
    return {"service": document["service"], "details_left_out": act.details_left_out, "entry": canonical(entry_of(act))}


def packed(order: Order, lines: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], heads: dict[str, str]) -> bytes:
    """In a process of the pool: the same bytes for the same input, apart from the workbook's own clock."""
    first, last = (vn_date(dt.date.fromisoformat(day)) for day in (order.first, order.last))
    said = READ_ME.format(name=order.name, place=order.place, first=first, last=last, at=vn_time(order.at), by=order.by)
    files = {
        "DOC-TRUOC.txt": said.encode(),
        "nhat-ky.jsonl": "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines).encode(),
        "nhat-ky.xlsx": workbook("Nhật ký hoạt động", HEADERS, [_cells(r) for r in sorted(rows, key=lambda r: (r["at"], r["id"]))]),
        "kiem_tra.py": CHECKER.read_bytes(),
    }
    manifest = {
        "place": order.place,
        "from": order.first,
        "to": order.last,
        "made_at": order.at.isoformat(timespec="seconds"),
        "made_by": order.by,
        "entries": len(lines),
        "heads": heads,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    files["manifest.json"] = (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def _cells(shown: dict[str, Any]) -> list[str | int]:
    details = "; ".join(f"{what}: {value}" for what, value in shown["details"])
    return [
        vn_time(shown["at"]),
        shown["actor"],
        shown["actor_name"],
        shown["text"],
        shown["subject"],
        shown["subject_name"],
        details,
        shown["address"],
        shown["device"],
        shown["request_id"],
        shown["service_name"],
        shown["number"],
        shown["hash"],
    ]
