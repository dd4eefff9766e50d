"""What is said of a code or a file: the judges' verdicts beside what the source says."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from services.chassis import clock
from services.chassis.errors import Refused
from services.chassis.mongo import PyMongoError
from services.means.judging.examined import Check, Examined, examine
from services.means.judging.recognise import NotADocument
from services.publishing.verification import store
from services.publishing.verification.bounded import Exceeded
from services.publishing.verification.errors import NO_CODE, NOT_A_DOCUMENT, TOOK_TOO_LONG
from services.publishing.verification.source import code_of

if TYPE_CHECKING:
    from services.chassis.mongo import Database
    from services.publishing.verification.bounded import Bounded
    from services.publishing.verification.source import Source

Outcome = Literal["valid", "invalid", "not_in_force", "unchecked"]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verifier:
    """`roots`: DER of the certificates that are trusted."""

    db: Database
    roots: tuple[bytes, ...]
    bounded: Bounded

    async def by_code(self, text: str) -> Source | None:
        """Raises Refused(NO_CODE) for what is no code."""
        code = code_of(text)
        if code is None:
            raise Refused(NO_CODE)
        return await store.by_code(self.db, code)

    async def file(self, content: bytes) -> Verified:
        """Raises Refused: NOT_A_DOCUMENT, TOOK_TOO_LONG, BUSY. Nothing of the file is kept."""
        try:
            examined = await self.bounded.run(examine, content, self.roots, clock.now())
        except NotADocument as problem:
            raise Refused(NOT_A_DOCUMENT, what=problem.what) from problem
        except Exceeded as problem:
            raise Refused(TOOK_TOO_LONG) from problem
        try:
            return verified(examined, await self._source(examined))
        except (PyMongoError, OSError):
            log.warning("verification goes on without the source", exc_info=True)
            return verified(examined, None, reached=False)

    async def _source(self, examined: Examined) -> Source | None:
        """By the very file, else by the id that it claims."""
        source = await store.by_file(self.db, examined.sha256)
        code = code_of(examined.document or "")
        return source or (await store.by_code(self.db, code) if code else None)


@dataclass(frozen=True)
class Verified:
    """`at_source` is the verdict on the status at the source; `source` None: it does not know the document, or could not be asked."""

    examined: Examined
    source: Source | None
    at_source: Check

    @property
    def outcome(self) -> Outcome:
        state = self.examined.state
        if state == "failed":
            return "invalid"
        if self.at_source.state == "failed":
            return "not_in_force"
        return "valid" if state == "passed" and self.at_source.state == "passed" else "unchecked"


def verified(examined: Examined, source: Source | None, *, reached: bool = True) -> Verified:
    return Verified(examined, source, _at_source(examined, source, reached=reached))


def _at_source(examined: Examined, source: Source | None, *, reached: bool) -> Check:
    if not reached:
        return Check(state="unchecked", text="Chưa kiểm tra được vì lúc này không kết nối được với nguồn dữ liệu.")
    if source is None:
        return Check(state="unchecked", text="Nguồn không rõ: hệ thống này không phát hành tệp và không biết tình trạng của nó.")
    likeness = source.likeness(examined.sha256)
    if likeness == "different":
        return Check(state="failed", text="Tệp này không phải là tệp mà nhà trường đã phát hành theo mã định danh ghi trong đó.")
    title, sentence = source.words
    if source.standing != "in_force":
        return Check(state="failed", text=f"{title}. {sentence}")
    if likeness == "unchecked":
        return Check(state="unchecked", text="Nhà trường chưa xác nhận hoàn thành nên chưa so được tệp này với bản phát hành.")
    return Check(state="passed", text=f"{title}. {sentence}")
