"""The loop: ask the server for the next job, hand it to the worker, go on asking; a lost connection is tried again, slower and slower."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from hocba_agent import jobs, pairing, troubles
from hocba_agent.server import Server
from hocba_agent.work import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds before the next attempt after a failed one."""
UNTRUSTED_PAUSE = 5.0


def run(
    at: Path, modules: Sequence[str], *, ask_pin: Callable[[str], str], say: Callable[[str], None], stop: threading.Event | None = None
) -> None:
    """Until `stop` is set. Raises Trouble `not_paired` when the server ends the pairing, which is then forgotten here, too."""
    stop = stop or threading.Event()
    paired = pairing.load(at)
    say(f"Đang kết nối {paired.server} cho {paired.name}. Để cửa sổ này mở trong khi đăng ký và ký số.")
    with Server.of(paired) as asking, Server.of(paired) as answering:
        worker = Worker(answering, modules or paired.modules, pairing.Answered(at), ask_pin=ask_pin, say=say, batches=answering)
        worker.start()
        threading.Thread(target=_ask_for_batches, args=(paired, worker, say, stop), name="batches", daemon=True).start()
        try:
            _ask(asking.next_job, paired, worker, say, stop)
        except troubles.Trouble as trouble:
            if trouble.code == "not_paired":
                pairing.forget(at)
            raise
        finally:
            stop.set()
            worker.stop()


def _ask_for_batches(paired: pairing.Pairing, worker: Worker, say: Callable[[str], None], stop: threading.Event) -> None:
    """Beside the other questions, which tell the person of a lost connection or an ended pairing."""
    with Server.of(paired) as server:
        try:
            _ask(server.next_batch, paired, worker, say, stop, silent=True)
        except troubles.Trouble as trouble:
            if trouble.code != "not_paired":
                say(trouble.words)


def _ask(
    next_job: Callable[[Iterable[str]], str | None],
    paired: pairing.Pairing,
    worker: Worker,
    say: Callable[[str], None],
    stop: threading.Event,
    *,
    silent: bool = False,
) -> None:
    pause = 0.0
    while not stop.is_set():
        try:
            signed = next_job(worker.working)
            if pause and not silent:
                say("Đã kết nối lại.")
            pause = 0.0
            if signed is not None:
                worker.take(jobs.open_job(signed, paired.keys, paired.agent, time.time()))
        except troubles.Trouble as trouble:
            if trouble.code == "unreachable":
                if not pause and not silent:
                    say(f"{trouble.words} Chương trình sẽ tự thử lại.")
                pause = min(LONGEST_PAUSE, pause * 2 or FIRST_PAUSE)
                stop.wait(pause)
            elif trouble.code == "untrusted":
                say(trouble.words)
                stop.wait(UNTRUSTED_PAUSE)
            else:
                raise
