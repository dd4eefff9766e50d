"""The queues that people sign from: one a step and kind of document, each with its address and the words of its guide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.menu import PRIMARY
from contracts.nouns import NOUNS
from services.chassis.errors import NOT_FOUND, Refused
from services.signing.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.access import Principal
    from contracts.documents import SignedKind


@dataclass(frozen=True)
class Words:
    """`noun` as in the middle of a sentence; the others are buttons and headings."""

    noun: str
    sign: str
    give_back: str
    propose: str
    """Giving back as secondary schools call it (guide 001); primary schools do not."""
    verb: str = "Trả lại"
    given_back: str = "đã chuyển sang trạng thái Trả lại"
    until: str = "chuyển sang trạng thái Trả lại: không ai ký được cho đến khi quản trị viên duyệt hủy hoặc từ chối hủy"


DRAFT_AGAIN = {"verb": "Không ký", "given_back": "đã trở về bản nháp", "until": "trở về bản nháp của quản trị viên, kèm lý do"}
WORDS: Mapping[SignedKind, Words] = {
    "transcript": Words(NOUNS["transcript"], "Ký học bạ", "Trả lại học bạ", "Đề xuất hủy"),
    "class_summary": Words(
        NOUNS["class_summary"], "Ký bảng tổng hợp kết quả ĐGGD", "Trả lại bảng tổng hợp ĐGGD", "Trả lại bảng tổng hợp ĐGGD"
    ),
    "withdrawal_request": Words(NOUNS["withdrawal_request"], "Ký yêu cầu thu hồi", "Không ký yêu cầu", "Không ký yêu cầu", **DRAFT_AGAIN),
}
PREFIXES: Mapping[SignedKind, str] = {"transcript": "", "class_summary": "summary-", "withdrawal_request": "withdrawal-"}


@dataclass(frozen=True)
class Queue:
    kind: SignedKind
    step: str

    @property
    def name(self) -> str:
        return f"{PREFIXES[self.kind]}{self.step}"

    @property
    def address(self) -> str:
        return f"/ui/signing/{self.name}"

    @property
    def words(self) -> Words:
        return WORDS[self.kind]


QUEUES: Mapping[str, Queue] = {
    queue.name: queue
    for queue in (
        *(Queue("transcript", step) for step in STEPS),
        *(Queue("class_summary", step) for step in STEPS if step != "subjects"),
        Queue("withdrawal_request", "issue"),
    )
}


def queue_of(who: Principal, name: str) -> Queue:
    """Raises Refused(NOT_FOUND) for a step that no policy has, and for class summaries in another version than primary."""
    queue = QUEUES.get(name)
    if queue is None or (queue.kind == "class_summary" and who.level != PRIMARY):
        raise Refused(NOT_FOUND)
    return queue


def queue_for(kind: SignedKind, step: str) -> Queue:
    return QUEUES[f"{PREFIXES[kind]}{step}"]


def kind_of(document: Mapping[str, Any]) -> SignedKind:
    """Of a task, an item or a batch; what was written before there were kinds is about transcripts."""
    kind: SignedKind = document.get("kind", "transcript")
    return kind


def title_of(task: Mapping[str, Any]) -> str:
    """Of a task or an item."""
    if kind_of(task) == "class_summary":
        return f"Bảng tổng hợp lớp {task['class_code']}"
    if kind_of(task) == "withdrawal_request":
        return f"Thu hồi: {task['pupil_name']} – lớp {task['class_code']}"
    return f"{task['pupil_name']} – lớp {task['class_code']}"


def document_href(task: Mapping[str, Any], document_id: str) -> str:
    if kind_of(task) == "withdrawal_request":
        return f"/ui/publishing/withdrawals/{document_id}"
    folder = "summaries" if kind_of(task) == "class_summary" else "transcripts"
    return f"/ui/records/{folder}/{document_id}"
