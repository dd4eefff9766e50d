"""Logs, work loops, the process pool, events and settings: what needs no servers."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import signal
import subprocess
import sys
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from contracts.event import Event, Fact
from services.chassis import clock, kafka, outbox, work
from services.chassis import logging as json_logging
from services.chassis.kafka import Consumer, Reading, is_transient
from services.chassis.mongo import DuplicateKeyError, OperationFailure, PyMongoError
from services.chassis.objects import DamagedObject, MissingObject, ObjectsUnavailable
from services.chassis.work import Pool, PoolLost


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What was logged, read back as JSON."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(json_logging.JsonLines("records"))
    logger = logging.getLogger("hocba-test")
    logger.propagate = False
    logger.handlers = [handler]
    logger.setLevel("INFO")
    return logger, lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_log_line_is_one_json_object_with_request_and_event(lines: Any) -> None:
    logger, read = lines
    with json_logging.log_context(request_id="r-1"):
        with json_logging.log_context(event_id="e-1"):
            logger.info("học bạ\nhai dòng", extra={"attempt": 2})
        logger.info("after")
    logger.info("outside")
    first, second, third = read()
    assert (first["message"], first["request_id"], first["event_id"], first["attempt"]) == ("học bạ\nhai dòng", "r-1", "e-1", 2)
    assert (first["service"], first["level"], first["time"][-1]) == ("records", "INFO", "Z")
    assert "event_id" not in second
    assert "request_id" not in third


def test_an_exception_is_logged_within_its_line(lines: Any) -> None:
    logger, read = lines
    try:
        int("no number")
    except ValueError:
        logger.exception("failed")
    (line,) = read()
    assert "ValueError: invalid literal" in line["exception"]


async def test_contexts_of_tasks_do_not_mix(lines: Any) -> None:
    logger, read = lines

    async def one(name: str) -> None:
        with json_logging.log_context(request_id=name):
            await asyncio.sleep(0)
            logger.info(name)

    await asyncio.gather(*(one(f"r-{n}") for n in range(5)))
    assert all(line["message"] == line["request_id"] for line in read())


class NamedV1(Fact):
    topic: ClassVar[str] = "toy.names"
    name: str
    born: int


def test_an_event_that_cannot_be_read_does_not_put_what_it_says_into_logs() -> None:
    body = outbox.event(NamedV1(name="Nguyễn Văn An", born=1), subject="a", sequence=1, actor="x").model_dump_json(serialize_as_any=True)
    with pytest.raises(ValidationError) as caught:
        Event[NamedV1].model_validate_json(body.replace('"born":1', '"born":"so 031190000001"'))
    for said in (str(caught.value), repr(caught.value), kafka._said(caught.value)):
        assert "031190000001" not in said
        assert "born" in said


async def test_work_goes_on_after_what_may_pass_and_ends_with_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    outcomes: list[int | Exception] = [3, PyMongoError("away"), ObjectsUnavailable("away"), 0, TimeoutError(), LookupError("a fault")]

    async def round_of_work() -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("services.chassis.work.asyncio.sleep", sleep)
    with pytest.raises(LookupError):
        await work.forever("test", round_of_work, idle=0.5)
    assert waits == [0.4, 0.8, 0.5, 0.4]


@pytest.mark.parametrize("problem", [DuplicateKeyError("x", 11000), OperationFailure("x", 2), OperationFailure("no right", 13)])
async def test_work_that_the_database_will_never_accept_ends_its_process_and_says_so(
    problem: PyMongoError, caplog: pytest.LogCaptureFixture
) -> None:
    async def refused() -> int:
        raise problem

    with pytest.raises(type(problem)):
        await asyncio.wait_for(work.forever("test", refused), 10)
    (line,) = caplog.records
    assert (line.levelname, line.getMessage(), line.__dict__["work"]) == ("CRITICAL", "work cannot go on", "test")


async def test_waiting_for_a_dependency_grows_and_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def away() -> int:
        if len(waits) == 12:
            raise LookupError
        raise ConnectionError

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("services.chassis.work.asyncio.sleep", sleep)
    with pytest.raises(LookupError):
        await work.forever("test", away)
    assert waits == sorted(waits)
    assert max(waits) == 15.0


def test_what_waiting_may_help_against() -> None:
    helped = [PyMongoError("x"), ConnectionResetError(), TimeoutError(), ObjectsUnavailable("x"), OperationFailure("x", 11600)]
    useless = [DuplicateKeyError("x", 11000), OperationFailure("x", 2), DamagedObject("x"), MissingObject("x"), ValueError("x")]
    assert all(is_transient(p) for p in helped)
    assert not any(is_transient(p) for p in useless)


def double(number: int) -> int:
    if number < 0:
        raise ValueError(number)
    return number * 2


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


async def test_in_a_pool_a_failure_is_the_outcome_of_its_own_item_alone() -> None:
    pool = Pool(1)
    try:
        first, failed, last = await pool.map(double, [(1,), (-1,), (3,)])
    finally:
        pool.close()
    assert (first, last) == (2, 6)
    assert isinstance(failed, ValueError)


async def test_a_pool_whose_process_was_killed_blames_no_item_and_works_again() -> None:
    pool = Pool(1)
    try:
        with pytest.raises(PoolLost) as caught:
            await pool.map(die, [(1,), (2,)])
        assert is_transient(caught.value)
        assert await pool.run(double, 4) == 8
    finally:
        pool.close()


def test_a_failpoint_kills_at_the_pass_it_names_and_nowhere_else() -> None:
    script = "from services.chassis.failpoints import reach\nfor n in range(5):\n    reach('other'); print(n, flush=True); reach('here')"
    environment = {**os.environ, "HOCBA_FAILPOINT": "here:3"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (-signal.SIGKILL, ["0", "1", "2"])


def test_stored_times_are_utc_with_milliseconds() -> None:
    now = clock.now()
    assert now.utcoffset() is not None
    assert now.microsecond % 1000 == 0
    assert clock.in_vietnam(now) == now
    assert clock.in_vietnam(now).strftime("%z") == "+0700"


def test_a_reading_belongs_to_the_group_of_its_service_and_topic() -> None:
    assert Reading(Consumer("records", "signing.steps"), None, None).consumer.group == "records.signing.steps"  # type: ignore[arg-type] # neither is used
