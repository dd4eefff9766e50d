"""Carrying jobs out on a real token: one PIN for all, the texts shown before, every job answered once."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hocba_agent import jobs, troubles
from hocba_agent.jobs import Job
from hocba_agent.pairing import Answered
from hocba_agent.work import Worker
from services.means import challenge, token
from tests.unit.agent.softhsm import LOCKED, MODULE, PIN, Tokens, certificate, der, new_key

NOW = dt.datetime.now(dt.UTC)


@dataclass
class Person:
    """Types these PINs, sees those texts; the server's side keeps what was answered."""

    pins: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    answers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    unreachable: int = 0

    def ask_pin(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return self.pins.pop(0)

    def answer(self, job: str, outcome: dict[str, Any]) -> None:
        if self.unreachable:
            self.unreachable -= 1
            raise troubles.unreachable()
        self.answers.append((job, outcome))

    @property
    def failures(self) -> list[str]:
        return [outcome["failure"]["code"] for _, outcome in self.answers]


def worker(person: Person, at: Path, modules: tuple[str, ...] = (MODULE,)) -> Worker:
    return Worker(person, modules, Answered(at), ask_pin=person.ask_pin, say=person.seen.append)


def equipped(tokens: Tokens, **more: Any) -> bytes:
    key = new_key("p256")
    made = der(certificate(key, **more))
    tokens.add("VNPT-CA")
    tokens.put_key("VNPT-CA", key)
    tokens.put_certificate("VNPT-CA", made)
    return made


def text_for(made: bytes) -> str:
    return challenge.write(made, purpose="đăng ký", server="https://hocba.example", registrant="31300001007", at=NOW)


def prove(made: bytes, number: int = 1, **content: Any) -> Job:
    asked = token.Prove(text=text_for(made), certificate=challenge_fingerprint(made), scheme="ecdsa").model_dump() | content
    return Job(f"job-{number}", int(time.time()) + 3600, "prove", asked)


def challenge_fingerprint(made: bytes) -> str:
    return hashlib.sha256(made).hexdigest()


def test_one_pin_is_enough_for_a_batch_and_the_texts_are_shown_before(tokens: Tokens, tmp_path: Path) -> None:
    made, person = equipped(tokens), Person([PIN])
    batch = [prove(made, number) for number in (1, 2, 3)]
    worker(person, tmp_path).carry_out(batch)
    assert len(person.prompts) == 1
    assert "3 văn bản" in person.prompts[0]
    assert all(any(job.content["text"] in seen for seen in person.seen) for job in batch)
    assert [job for job, _ in person.answers] == ["job-1", "job-2", "job-3"]
    for job, (_, outcome) in zip(batch, person.answers, strict=True):
        challenge.verify(made, job.content["text"], b64decode(outcome["result"]["signature"]), "ecdsa")


def test_the_pin_is_in_nothing_that_leaves_the_computer_or_is_shown(tokens: Tokens, tmp_path: Path) -> None:
    made, person = equipped(tokens), Person(["000000", PIN])
    worker(person, tmp_path).carry_out([prove(made)])
    told = repr((person.answers, person.seen, person.prompts))
    assert "result" in person.answers[0][1]
    assert "000000" not in told
    assert PIN not in told.replace(text_for(made), "")
    assert [file.name for file in tmp_path.iterdir()] == ["answered.json"]
    assert PIN not in (tmp_path / "answered.json").read_text().replace(str(int(time.time()))[:6], "")


def test_listing_answers_as_the_services_expect_it(tokens: Tokens, tmp_path: Path) -> None:
    made, person = equipped(tokens), Person()
    worker(person, tmp_path).carry_out([Job("job-1", int(time.time()) + 60, "certificates", {})])
    (_, outcome) = person.answers[0]
    listed = token.Certificates.model_validate(outcome["result"]).certificates
    assert [(one.token, one.label, one.der) for one in listed] == [("VNPT-CA", "Chứng thư số", made)]
    assert person.prompts == []


def test_a_wrong_pin_may_be_corrected(tokens: Tokens, tmp_path: Path) -> None:
    made, person = equipped(tokens), Person(["000000", PIN])
    worker(person, tmp_path).carry_out([prove(made)])
    assert "result" in person.answers[0][1]
    assert any("Mã PIN không đúng" in seen for seen in person.seen)


def test_after_three_wrong_pins_the_agent_stops_asking(tokens: Tokens, tmp_path: Path) -> None:
    made, person = equipped(tokens), Person(["000000"] * 9)
    worker(person, tmp_path).carry_out([prove(made, 1), prove(made, 2)])
    assert len(person.prompts) == 3
    assert person.failures == ["pin_wrong", "pin_wrong"]


def test_leaving_the_pin_empty_signs_nothing(tokens: Tokens, tmp_path: Path) -> None:
    made, person = equipped(tokens), Person([""])
    worker(person, tmp_path).carry_out([prove(made)])
    assert person.failures == ["cancelled"]


def test_a_locked_token_is_told_without_asking_for_the_pin(tokens: Tokens, tmp_path: Path) -> None:
    made, person = equipped(tokens), Person([PIN])
    tokens.mark(LOCKED)
    worker(person, tmp_path).carry_out([prove(made)])
    assert (person.failures, person.prompts) == (["pin_locked"], [])
    assert any("mở khoá" in seen for seen in person.seen)


def test_an_expired_certificate_is_told_without_asking_for_the_pin(tokens: Tokens, tmp_path: Path) -> None:
    made = equipped(tokens, since=NOW - dt.timedelta(days=30), until=NOW - dt.timedelta(days=2))
    person = Person([PIN])
    worker(person, tmp_path).carry_out([prove(made)])
    assert (person.failures, person.prompts) == (["certificate_out_of_date"], [])


def test_a_token_that_is_not_there_and_a_driver_that_is_missing_are_told(tokens: Tokens, tmp_path: Path) -> None:
    made = der(certificate(new_key("p256")))
    person = Person()
    worker(person, tmp_path).carry_out([prove(made)])
    worker(person, tmp_path, (str(tmp_path / "none.so"),)).carry_out([prove(made)])
    assert person.failures == ["no_token", "no_driver"]


def test_every_failure_is_one_that_the_services_have_words_for() -> None:
    made: list[Callable[[], troubles.Trouble]] = [
        lambda: troubles.wrong_pin(""),
        troubles.locked_pin,
        troubles.no_token,
        troubles.no_certificate,
        lambda: troubles.expired_certificate("01/01/2026"),
        lambda: troubles.early_certificate("01/01/2026"),
        troubles.no_driver,
        lambda: troubles.broken_driver("x.dll"),
        troubles.cancelled,
        lambda: troubles.token_failed("X"),
        lambda: troubles.refused("x"),
    ]
    assert {one().code for one in made} == set(token.FAILURES)
    for one in made:
        token.Failure.model_validate({"code": one().code})
        assert one().words.endswith(".")


@pytest.mark.parametrize("text", ["ab" * 32, "Đơn xin nghỉ phép\n", jobs.FIRST_LINE])
def test_a_text_that_is_no_challenge_is_refused_and_never_reaches_the_token(tokens: Tokens, tmp_path: Path, text: str) -> None:
    made, person = equipped(tokens), Person([PIN])
    worker(person, tmp_path).carry_out([prove(made, text=text)])
    assert (person.failures, person.prompts) == (["refused"], [])


def test_an_unknown_kind_of_job_is_refused(tmp_path: Path) -> None:
    person = Person()
    worker(person, tmp_path).carry_out([Job("job-1", int(time.time()) + 60, "sign-hash", {"hash": "00"})])
    assert person.failures == ["refused"]


def test_an_answer_lost_on_the_way_is_sent_again_without_signing_again(tokens: Tokens, tmp_path: Path) -> None:
    made, person = equipped(tokens), Person([PIN], unreachable=3)
    busy = worker(person, tmp_path)
    busy.carry_out([prove(made)])
    assert person.answers == []
    busy.carry_out([prove(made)])
    assert len(person.answers) == 1
    assert "result" in person.answers[0][1]
    assert len(person.prompts) == 1


def test_a_job_that_was_carried_out_is_refused_when_it_comes_again(tokens: Tokens, tmp_path: Path) -> None:
    made, person = equipped(tokens), Person([PIN])
    worker(person, tmp_path).carry_out([prove(made)])
    worker(person, tmp_path).carry_out([prove(made)])  # another start of the program
    assert "result" in person.answers[0][1]
    assert person.answers[1][1]["failure"]["code"] == "refused"
    assert len(person.prompts) == 1


def test_one_bad_job_does_not_keep_the_others_from_being_done(tokens: Tokens, tmp_path: Path) -> None:
    made, person = equipped(tokens), Person([PIN])
    worker(person, tmp_path).carry_out([prove(made, 1, text="x"), prove(made, 2), prove(der(certificate(new_key("p256"))), 3)])
    outcomes = dict(person.answers)
    assert outcomes["job-1"]["failure"]["code"] == "refused"
    assert "result" in outcomes["job-2"]
    assert outcomes["job-3"]["failure"]["code"] == "no_certificate"


def test_a_running_worker_names_what_it_works_on_until_it_is_answered(tokens: Tokens, tmp_path: Path) -> None:
    made = equipped(tokens)
    person = Person()
    seen: list[frozenset[str]] = []
    running = worker(person, tmp_path)

    def ask(_: str) -> str:
        seen.append(running.working)
        running.take(prove(made))  # delivered once more while the person types
        return PIN

    running._ask_pin = ask
    running.start()
    running.take(prove(made))
    until = time.monotonic() + 30
    while not person.answers and time.monotonic() < until:
        time.sleep(0.01)
    running.stop()
    assert seen == [frozenset({"job-1"})]
    assert len(person.answers) == 1
    assert running.working == frozenset()
