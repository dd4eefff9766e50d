"""Signing a batch: the person sees what it is, gives the PIN once, and every document is computed anew, signed, and answered for itself.

What was answered is the server's; after a kill the same job comes again with what is left. A token that is pulled out is waited for.
"""

from __future__ import annotations

import hashlib
import json
import time
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from hocba_agent import documents, jobs, tokens, troubles

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

    from hocba_agent.jobs import Batch, Job

T = TypeVar("T")
SHOWN: Final = 10
"""Titles shown before the PIN is asked."""
AT_ONCE: Final = 10
AT_LEAST_EVERY: Final = 1.0
"""Seconds between two answers, while there is something to answer."""
LOOK_SECONDS: Final = 1.0
"""How often a missing token is looked for."""
TELL_SECONDS: Final = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
TRIES: Final = 3
"""PIN prompts in a row; many tokens lock after five to ten wrong ones."""


class Over(Exception):
    """The server waits for this batch no more."""


class Batches(Protocol):
    """The server of batches: `server.Server`. All raise Over, and Trouble `unreachable`, `not_paired`."""

    def items(self, job: str) -> bytes: ...
    def piece(self, job: str, number: int) -> dict[str, Any]: ...
    def give(self, job: str, answers: Sequence[dict[str, Any]]) -> None: ...
    def tell(self, job: str, told: dict[str, str]) -> None: ...


@dataclass(frozen=True)
class Person:
    """Who sits there: `ask_pin` gets the prompt and gives the PIN, "" to leave it; `modules` are looked for anew each time."""

    ask_pin: Callable[[str], str]
    say: Callable[[str], None]
    modules: Callable[[], list[str]]
    stop: threading.Event


@dataclass(frozen=True)
class Item:
    """`digests` are what signing must arrive at: of the XML, and of the PDF where there is one."""

    number: int
    title: str
    digests: tuple[str, ...]


def carry_out(job: Job, server: Batches, person: Person) -> None:
    """Every item gets its answer, or the job ends with what prevents it; told to the person here, to the server by its code."""
    try:
        try:
            _sign(job, server, person)
        except troubles.Trouble as trouble:
            person.say(trouble.words)
            told = {"failure": trouble.code}
            if trouble.code != "not_paired":
                _steadily(lambda: server.tell(job.id, told), person)
    except Over:
        person.say("Đợt ký này đã kết thúc hoặc đã dừng trên hệ thống.")


def _sign(job: Job, server: Batches, person: Person) -> None:
    order = jobs.batch_of(job)
    items = listed(_steadily(lambda: server.items(job.id), person), order)
    person.say(_shown(order, items))
    desk = _Desk(job.id, order, server, person)
    left = list(items)
    while left and not person.stop.is_set():
        certificate, unlocked = desk.unlocked(len(left))
        try:
            desk.tell("SIGNING")
            while left and not person.stop.is_set():
                desk.answer(left[0].number, **desk.signed(left[0], certificate, unlocked))
                del left[0]
        except troubles.Trouble as trouble:
            if trouble.code != "no_token":
                raise
            person.say(trouble.words)
        finally:
            unlocked.close()
            desk.flush()
    person.say(f"Đã ký {desk.done}/{len(items)} văn bản." + (f" {desk.refused} văn bản không ký." if desk.refused else ""))


def listed(encoded: bytes, order: Batch) -> list[Item]:
    """The items, when they are those that the signed order names. Raises Trouble `refused`."""
    if hashlib.sha256(encoded).hexdigest() != order.items:
        raise troubles.refused("danh sách văn bản không khớp với yêu cầu đã ký")
    try:
        found = [
            Item(int(number), str(title), tuple(d for d in digests if d is not None)) for number, title, *digests in json.loads(encoded)
        ]
    except (ValueError, TypeError) as wrong:
        raise troubles.refused("danh sách văn bản không đúng mẫu") from wrong
    if len(found) != order.count or not all(item.digests and item.title.isprintable() for item in found):
        raise troubles.refused("danh sách văn bản không khớp với yêu cầu đã ký")
    return found


def _shown(order: Batch, items: Sequence[Item]) -> str:
    lines = [f"\nYÊU CẦU KÝ: {order.title}", *(f"  - {item.title}" for item in items[:SHOWN])]
    if len(items) > SHOWN:
        lines.append(f"  và {len(items) - SHOWN} văn bản khác")
    return "\n".join(lines)


def to_sign(item: Item, piece: dict[str, Any], certificate: bytes, order: Batch) -> list[bytes]:
    """What is signed of this item, each with the digest that the order names. Raises Trouble `refused`."""
    xml, signature, pdf, revision, attributes = (_bytes(piece, key) for key in ("xml", "signature", "pdf", "revision", "attributes"))
    if xml is None or signature is None:
        raise troubles.refused("thiếu tệp XML")
    texts = [documents.xml_to_sign(xml, signature, certificate, order.scheme)]
    if pdf is not None and revision is not None and attributes is not None:
        texts.append(documents.pdf_to_sign(pdf, revision, attributes, certificate))
    if tuple(hashlib.sha256(text).hexdigest() for text in texts) != item.digests:
        raise troubles.refused("mã băm tính từ tệp không khớp với yêu cầu đã ký")
    return texts


def _bytes(piece: dict[str, Any], key: str) -> bytes | None:
    text = piece.get(key)
    if text is None:
        return None
    try:
        return b64decode(text, validate=True)
    except (NotBase64, TypeError, ValueError) as wrong:
        raise troubles.refused("văn bản nhận được không đúng mẫu") from wrong


class _Desk:
    """One batch on its way: what was signed and not yet answered waits here for a moment."""

    def __init__(self, job: str, order: Batch, server: Batches, person: Person) -> None:
        self.job = job
        self.order = order
        self.server = server
        self.person = person
        self.done = self.refused = 0
        self._answers: list[dict[str, Any]] = []
        self._answered_at = time.monotonic()

    def tell(self, state: str) -> None:
        _steadily(lambda: self.server.tell(self.job, {"state": state}), self.person)

    def unlocked(self, count: int) -> tuple[tokens.TokenCertificate, tokens.Unlocked]:
        """Waits for the token, then for the PIN. Raises Trouble: pin_wrong after TRIES, pin_locked, cancelled, certificate_out_of_date …"""
        while True:
            certificate = self._plugged_in()
            tokens.usable(certificate, tokens.now())
            self.tell("PIN")
            try:
                return certificate, self._after_pin(certificate, count)
            except troubles.Trouble as trouble:
                if trouble.code != "no_token":
                    raise
                self.person.say(trouble.words)

    def _plugged_in(self) -> tokens.TokenCertificate:
        told_at = 0.0
        while not self.person.stop.is_set():
            try:
                return tokens.find(self.order.certificate, self.person.modules())
            except troubles.Trouble as trouble:
                if trouble.code not in {"no_token", "no_certificate"}:
                    raise
                if not told_at:
                    self.person.say(f"{trouble.words} Chương trình sẽ tự tiếp tục khi có thiết bị.")
            if not told_at or time.monotonic() - told_at > TELL_SECONDS:
                self.tell("UNPLUGGED")
                told_at = time.monotonic()
            self.person.stop.wait(LOOK_SECONDS)
        raise Over

    def _after_pin(self, certificate: tokens.TokenCertificate, count: int) -> tokens.Unlocked:
        tries = TRIES
        while True:
            caution = tokens.warning(certificate)
            if caution:
                self.person.say(caution)
            pin = self.person.ask_pin(f'Mã PIN của thiết bị "{certificate.token}" (ký {count} văn bản, bỏ trống để không ký): ')
            if not pin:
                raise troubles.cancelled()
            try:
                return tokens.unlock(certificate, pin)
            except troubles.Trouble as trouble:
                tries -= 1
                if trouble.code != "pin_wrong" or not tries:
                    raise
                self.person.say(trouble.words)

    def signed(self, item: Item, certificate: tokens.TokenCertificate, unlocked: tokens.Unlocked) -> dict[str, Any]:
        """Its values; or that this program refuses the item, which says nothing of the others."""
        piece = _steadily(lambda: self.server.piece(self.job, item.number), self.person)
        try:
            texts = to_sign(item, piece, certificate.der, self.order)
        except troubles.Trouble as trouble:
            self.person.say(f"{item.title}: {trouble.words}")
            self.refused += 1
            return {"failure": trouble.code}
        values = [b64encode(unlocked.sign(certificate, text, self.order.scheme)).decode() for text in texts]
        self.done += 1
        return {"values": values}

    def answer(self, number: int, **outcome: Any) -> None:
        self._answers.append({"number": number, **outcome})
        if len(self._answers) >= AT_ONCE or time.monotonic() - self._answered_at > AT_LEAST_EVERY:
            self.flush()

    def flush(self) -> None:
        if self._answers:
            _steadily(lambda: self.server.give(self.job, self._answers), self.person)
            self._answers = []
        self._answered_at = time.monotonic()


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(LONGEST_PAUSE, pause * 2)


def _steadily(ask: Callable[[], T], person: Person) -> T:
    """Again and again while the server cannot be reached: it says itself when it waits no more (Over)."""
    for number, pause in enumerate(_pauses()):
        try:
            return ask()
        except troubles.Trouble as trouble:
            if trouble.code != "unreachable":
                raise
            if number == 1:  # at the first failure a kept connection may only have been closed while the PIN was looked for
                person.say(f"{trouble.words} Chương trình sẽ tự thử lại.")
        if person.stop.wait(pause):
            break
    raise Over
