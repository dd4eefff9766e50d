"""A batch whose key is in a USB token: the seam between the runner and the person's signing program (`agents/`).

The program's right PIN is the authorisation of the batch. Values come item by item, at the token's pace, and as long as they come the
batch goes on; when nothing has come for a while, what is there is embedded and the rest ends with what is missing.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from services.chassis import clock
from services.chassis.errors import Refused
from services.chassis.web.look import vn_number
from services.means.remote import Authorized
from services.means.x509 import default_scheme
from services.signing.agents import jobs
from services.signing.agents import store as agents
from services.signing.agents.errors import REFUSALS
from services.signing.errors import EXPIRED
from services.signing.items import HASHED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from services.chassis.errors import Refusal
    from services.chassis.mongo import Document
    from services.signing.store import Store

QUIET: Final = dt.timedelta(minutes=5)
"""How long the program may be closed, or the token be out, in the middle of a batch."""
LOOK_SECONDS = 0.3
AGENTS_PAGE: Final = "/ui/identity/agents"


def by_token(document: Mapping[str, Any]) -> bool:
    """Of an approved account or a batch."""
    return not document["provider"]


def opened() -> dict[str, Any]:
    """What a batch with a token has in place of a provider's session; there is no secret in it."""
    return {"provider": "", "credential": {"id": "", "key_algorithms": [], "scal": "", "multisign": 0}, "token": b"", "token_until": None}


async def asked(store: Store, batch: Document) -> Authorized | None:
    """Has the right PIN been given? Raises Refused with what the program answered instead."""
    job = await jobs.asked(store.db, batch, default_scheme(batch["certificate"]))
    if job["state"] == agents.ENDED:
        raise Refused(REFUSALS[job["failure"] or "lost"])
    return Authorized(sad="", expires_in=0) if job["confirmed"] else None


async def late(store: Store, batch: Document) -> Refusal:
    """What a batch lacks that was not confirmed in time."""
    if not by_token(batch):
        return EXPIRED
    job = await agents.job(store.db, batch["_id"])
    return REFUSALS[_missing(job) if job is not None else "no_agent"]


async def taken_up(store: Store, batch: Document) -> None:
    """The program cannot get on while the service is away: how long nothing came counts from when somebody is here again."""
    if by_token(batch):
        await agents.moved(store.db, batch["_id"], clock.now())


async def returned(
    store: Store, batch: Document, items: Sequence[Document], still_good: Callable[[Store, Document], Awaitable[None]]
) -> tuple[dict[str, list[bytes]], dict[str, Refusal]]:
    """The values of these items, as soon as all are there or nothing more comes; and for those without, why.

    `still_good` raises Refused when the certificate has ended meanwhile.
    """
    ids = [i["_id"] for i in items]
    while True:
        job = await agents.job(store.db, batch["_id"])
        found = await agents.by_ids(store.db, ids)
        open_ones = [i["_id"] for i in found if i["state"] in HASHED and not i.get("not_signed")]
        if not open_ones or job is None or job["state"] == agents.ENDED:
            break
        await still_good(store, batch)
        if clock.now() - job["moved_at"] > QUIET:
            await agents.end(store.db, batch["_id"], _missing(job), clock.now())
        else:
            await asyncio.sleep(LOOK_SECONDS)
    values = {i["_id"]: list(i["values"]) for i in found if i["state"] == "returned"}
    ended = (job or {}).get("failure") or "lost"
    refused = {i["_id"]: REFUSALS[i.get("not_signed") or ended] for i in found if i["state"] in HASHED}
    return values, refused


async def close(store: Store, batch: Document) -> None:
    """The batch is over: a program that still works on it is told so when it next speaks."""
    if by_token(batch):
        await agents.end(store.db, batch["_id"], None, clock.now())


def _missing(job: Document) -> str:
    if job["state"] == "UNPLUGGED":
        return "unplugged"
    if job["agent"] is None:
        return "no_agent"
    if clock.now() - job["heard_at"] > agents.ONLINE or job["state"] == "SIGNING":
        return "lost"
    return "no_pin"


@dataclass(frozen=True)
class Note:
    """What the person has to do at their computer now; `href` "" when there is nothing to look up."""

    text: str
    href: str = ""
    link_text: str = ""


async def note(store: Store, batch: Document, items: Sequence[Document]) -> Note | None:
    """None for batches without a token and those that are over."""
    if not by_token(batch) or batch["state"] == "finished":
        return None
    job = await agents.job(store.db, batch["_id"])
    if not await agents.online(store.db, batch["person"], clock.now()):
        return Note(
            "Chưa kết nối chương trình ký số. Mở chương trình ký số trên máy tính có cắm USB Token.",
            AGENTS_PAGE,
            "hướng dẫn mở và ghép nối chương trình ký số",
        )
    if job is None or job["state"] == agents.ENDED:
        return None
    if job["state"] == "UNPLUGGED":
        return Note("Không thấy USB Token có chứng thư số này. Cắm USB Token vào máy tính; chương trình ký số sẽ tự ký tiếp.")
    if job["state"] == "SIGNING":
        done = sum(i["state"] in ("returned", "embedded") for i in items)
        return Note(f"USB Token đang ký: {vn_number(done)}/{vn_number(len(items))}. Không rút USB Token, không tắt chương trình ký số.")
    return Note("Nhập mã PIN của USB Token trên chương trình ký số để ký cả đợt.")
