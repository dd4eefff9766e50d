"""What lists of documents say of reports: links, and the notice that stored files differ."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from contracts.access import Action, allowed
from services.chassis.web.look import Notice, vn_number
from services.signing.auditing import store as audits
from services.signing.errors import STORED_DIFFERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.access import Principal
    from services.chassis.mongo import Document
    from services.signing.queues import Queue
    from services.signing.store import Store

REPORTS = "/ui/signing/reports"
DIFFERING = f"{REPORTS}/differing"
BOARD_STEPS = ("leader", "issue")
"""Whose lists tell of files that differ; the school's administrators read it on the activity page."""


async def differing_notices(store: Store, who: Principal, queue: Queue) -> list[Notice]:
    if queue.step not in BOARD_STEPS or not allowed(who, Action.VIEW_SCHOOL, school=who.school):
        return []
    found = await audits.different(store.db, str(who.school))
    if not found:
        return []
    text = f"{vn_number(len(found))} tài liệu có tệp lưu trữ sai khác với tệp đã ký ({STORED_DIFFERS.code}). {STORED_DIFFERS.action}"
    return [Notice("error", text, title=STORED_DIFFERS.title, href=DIFFERING, link_text="Xem danh sách")]


def class_certificates(tasks: Sequence[Document], class_code: str) -> list[tuple[str, str]]:
    """Links to the signers' certificates of the chosen class, one a school year."""
    years = sorted({t["year"] for t in tasks if t["class_code"] == class_code and t["xml"]}, reverse=True)
    return [
        (
            f"Tải chứng thư số người ký của lớp {class_code}, năm học {year}",
            f"/api/signing/certificates.zip?{urlencode({'class': class_code, 'year': year})}",
        )
        for year in years
    ]
