"""Carrying jobs out: one thread touches the tokens, the person sees each text before the PIN is asked, once for all that wait."""

from __future__ import annotations

import queue
import threading
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final, Protocol

from hocba_agent import drivers, jobs, signing, tokens, troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hocba_agent.jobs import Challenge, Job
    from hocba_agent.pairing import Answered

TRIES: Final = 3
"""PIN prompts for one batch; many tokens lock after five to ten wrong ones in a row."""
POST_TRIES: Final = 3


class Answers(Protocol):
    """Where outcomes go: `server.Server`."""

    def answer(self, job: str, outcome: dict[str, Any]) -> None: ...


class Worker:
    """`ask_pin` gets the prompt and gives the PIN, "" to leave it; `say` shows a text to the person."""

    def __init__(
        self,
        server: Answers,
        modules: Sequence[str],
        answered: Answered,
        *,
        ask_pin: Callable[[str], str],
        say: Callable[[str], None],
        batches: signing.Batches | None = None,
    ) -> None:
        self._server = server
        self._chosen = modules
        self._answered = answered
        self._ask_pin = ask_pin
        self._say = say
        self._batches = batches
        self._stop = threading.Event()
        self._waiting: queue.Queue[Job | None] = queue.Queue()
        self._working: set[str] = set()
        self._outcomes: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._live, name="tokens", daemon=True)

    @property
    def working(self) -> frozenset[str]:
        """Jobs taken and not yet answered; the server need not send them again."""
        with self._lock:
            return frozenset(self._working)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Lets the batch at hand end; a prompt that still waits for its person ends with the process."""
        self._stop.set()
        self._waiting.put(None)
        self._thread.join(timeout=5)

    def take(self, job: Job) -> None:
        """One that is worked on already is left alone."""
        with self._lock:
            if job.id in self._working:
                return
            self._working.add(job.id)
        self._waiting.put(job)

    def _live(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch = [first]
            while not self._waiting.empty():
                further = self._waiting.get()
                if further is None:
                    self.carry_out(batch)
                    return
                batch.append(further)
            self.carry_out(batch)

    def carry_out(self, batch: Sequence[Job]) -> None:
        """Every job of the batch gets its answer, whatever becomes of the others."""
        to_sign: list[tuple[Job, Challenge]] = []
        for job in batch:
            try:
                if job.id in self._outcomes:  # done before, but the answer was lost on the way
                    self._deliver(job, self._outcomes[job.id])
                elif job.id in self._answered:
                    raise troubles.refused("yêu cầu này đã được thực hiện")
                elif job.kind == "certificates":
                    self._done(job, {"certificates": self._listed()})
                elif job.kind == "prove":
                    to_sign.append((job, jobs.challenge_of(job.content)))
                elif job.kind == "sign" and self._batches is not None:
                    self._sign_documents(job, self._batches)
                else:
                    raise troubles.refused("chương trình chưa biết loại yêu cầu này, cần cập nhật")
            except troubles.Trouble as trouble:
                self._failed([job], trouble)
        for certificate, wanted in self._by_certificate(to_sign).items():
            self._sign_all(certificate, wanted)

    def _sign_documents(self, job: Job, batches: signing.Batches) -> None:
        """Answered item by item, so it may come again and goes on where it was."""
        try:
            signing.carry_out(job, batches, signing.Person(self._ask_pin, self._say, self._modules, self._stop))
        except troubles.Trouble as trouble:
            self._say(trouble.words)
        finally:
            with self._lock:
                self._working.discard(job.id)

    def _listed(self) -> list[dict[str, Any]]:
        self._say("Hệ thống hỏi các chứng thư số trên thiết bị ký đang cắm.")
        return [
            {
                "token": one.token[:200],
                "label": one.label[:200],
                "certificate": b64encode(one.der).decode(),
                "chain": [b64encode(issuer).decode() for issuer in one.chain],
            }
            for one in tokens.certificates(self._modules())
        ]

    def _modules(self) -> list[str]:
        """Looked for anew each time: a driver may have been installed meanwhile."""
        return drivers.find(self._chosen)

    @staticmethod
    def _by_certificate(to_sign: Iterable[tuple[Job, Challenge]]) -> dict[str, list[tuple[Job, Challenge]]]:
        grouped: dict[str, list[tuple[Job, Challenge]]] = {}
        for job, challenge in to_sign:
            grouped.setdefault(challenge.certificate, []).append((job, challenge))
        return grouped

    def _sign_all(self, fingerprint: str, wanted: Sequence[tuple[Job, Challenge]]) -> None:
        """With one certificate, after one PIN."""
        waiting = list(wanted)
        try:
            certificate = tokens.find(fingerprint, self._modules())
            tokens.usable(certificate, tokens.now())
            unlocked = self._unlocked(certificate, [challenge for _, challenge in waiting])
        except troubles.Trouble as trouble:
            self._failed([job for job, _ in waiting], trouble)
            return
        try:
            while waiting:
                job, challenge = waiting[0]
                value = unlocked.sign(certificate, challenge.text.encode(), challenge.scheme)
                del waiting[0]
                self._done(job, {"signature": b64encode(value).decode()})
        except troubles.Trouble as trouble:
            self._failed([job for job, _ in waiting], trouble)
        finally:
            unlocked.close()
        self._say(f"Đã ký {len(wanted) - len(waiting)}/{len(wanted)} văn bản.")

    def _unlocked(self, certificate: tokens.TokenCertificate, challenges: Sequence[Challenge]) -> tokens.Unlocked:
        """The person has seen the texts. Raises Trouble: pin_wrong after TRIES, pin_locked, cancelled, no_token, token_failed."""
        for number, challenge in enumerate(challenges, start=1):
            self._say(f"\nVăn bản {number}/{len(challenges)} cần ký để chứng minh đang giữ khoá:\n\n{challenge.text}")
        tries = TRIES
        while True:
            caution = tokens.warning(certificate)
            if caution:
                self._say(caution)
            pin = self._ask_pin(f'Mã PIN của thiết bị "{certificate.token}" (ký {len(challenges)} văn bản, bỏ trống để không ký): ')
            if not pin:
                raise troubles.cancelled()
            try:
                return tokens.unlock(certificate, pin)
            except troubles.Trouble as trouble:
                tries -= 1
                if trouble.code != "pin_wrong" or not tries:
                    raise
                self._say(trouble.words)

    def _done(self, job: Job, result: dict[str, Any]) -> None:
        self._answered.add(job.id, job.expires_at, tokens.now().timestamp())
        self._deliver(job, {"result": result})

    def _failed(self, jobs_of_one: Sequence[Job], trouble: troubles.Trouble) -> None:
        """Told to the person here, and by its code alone to the server."""
        self._say(trouble.words)
        for job in jobs_of_one:
            self._deliver(job, {"failure": {"code": trouble.code}})

    def _deliver(self, job: Job, outcome: dict[str, Any]) -> None:
        """Kept until the server has it; what cannot be delivered now is asked for again."""
        self._outcomes[job.id] = outcome
        try:
            for attempt in range(POST_TRIES):
                try:
                    self._server.answer(job.id, outcome)
                except troubles.Trouble as trouble:
                    if trouble.code == "unreachable" and attempt + 1 < POST_TRIES:
                        continue
                    self._say(trouble.words)
                    return
                else:
                    del self._outcomes[job.id]
                    return
        finally:
            with self._lock:
                self._working.discard(job.id)
