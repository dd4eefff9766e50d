"""A batch on a real token: shown, one PIN, every item answered for itself, taken up again, and never a hash of somebody's choice."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from hocba_agent import signing, troubles
from hocba_agent.jobs import Job
from hocba_agent.signing import Over, Person
from services.means.token import SignBatch
from services.means.x509 import check_value
from services.signing import pdf, xml
from tests.unit.agent.softhsm import LOCKED, MODULE, PIN, Kind, Tokens, certificate, der, new_key
from tests.unit.signing import pki

JOB = "00000000-0000-4000-8000-000000000001"


@dataclass
class Server:
    """The server's side of one batch; `before_piece` may do anything to the world at that moment."""

    der: bytes
    count: int = 3
    with_pdf: bool = True
    pieces: dict[int, dict[str, Any]] = field(default_factory=dict)
    digests: dict[int, list[bytes]] = field(default_factory=dict)
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    told: list[dict[str, str]] = field(default_factory=list)
    before_piece: Callable[[int], None] = lambda _: None
    over: bool = False
    unreachable: int = 0

    def __post_init__(self) -> None:
        for number in range(self.count):
            document, base = pki.transcript_xml(rows=number + 1), pki.transcript_pdf()
            named = {"certificate": self.der, "chain": (), "signed_at": pki.AT}
            made = xml.prepare(document, signature_id="GVCN", covers=["nd"], role="GVCN", **named)  # type: ignore[arg-type]  # one dict for both
            self.pieces[number] = {
                "xml": enc(document),
                "signature": enc(made.signature),
                "pdf": None,
                "revision": None,
                "attributes": None,
            }
            self.digests[number] = [made.digest]
            if self.with_pdf:
                ready = pdf.prepare(base, field="GVCN", name="An", reason="GVCN", **named)  # type: ignore[arg-type]  # one dict for both
                parts = {"pdf": enc(base), "revision": enc(ready.revision), "attributes": enc(ready.signed_attributes)}
                self.pieces[number] |= parts
                self.digests[number].append(ready.digest)

    @property
    def listed(self) -> bytes:
        left = [n for n in self.pieces if n not in self.answers]
        rows = [[n, f"Học sinh {n} – lớp 1A", *(d.hex() for d in self.digests[n]), *([] if self.with_pdf else [None])] for n in left]
        return json.dumps(rows).encode()

    def job(self, **changes: Any) -> Job:
        scheme = "rsa-pkcs1" if isinstance(x509.load_der_x509_certificate(self.der).public_key(), rsa.RSAPublicKey) else "ecdsa"
        content = SignBatch(
            batch=JOB,
            title="Giáo viên chủ nhiệm ký duyệt: 3 học bạ",
            count=max(1, self.count - len(self.answers)),
            items=hashlib.sha256(self.listed).hexdigest(),
            certificate=hashlib.sha256(self.der).hexdigest(),
            scheme=scheme,
        )
        return Job(JOB, int(time.time()) + 300, "sign", content.model_dump() | changes)

    def _reached(self) -> None:
        if self.unreachable:
            self.unreachable -= 1
            raise troubles.unreachable()
        if self.over:
            raise Over

    def items(self, job: str) -> bytes:
        self._reached()
        assert job == JOB
        return self.listed

    def piece(self, job: str, number: int) -> dict[str, Any]:
        self._reached()
        assert job == JOB
        self.before_piece(number)
        return self.pieces[number]

    def give(self, job: str, answers: Sequence[dict[str, Any]]) -> None:
        self._reached()
        assert job == JOB
        for one in answers:
            assert one["number"] not in self.answers, "answered twice"
            self.answers[one["number"]] = {k: v for k, v in one.items() if k != "number"}

    def tell(self, job: str, told: dict[str, str]) -> None:
        self._reached()
        assert job == JOB
        self.told.append(told)

    @property
    def states(self) -> list[str]:
        """Without repetitions in a row."""
        states = [next(iter(one.values())) for one in self.told]
        return [s for n, s in enumerate(states) if not n or states[n - 1] != s]

    def assert_signed(self, numbers: Sequence[int]) -> None:
        assert sorted(n for n, answer in self.answers.items() if "values" in answer) == sorted(numbers)
        for number in numbers:
            values = [b64decode(v) for v in self.answers[number]["values"]]
            assert len(values) == len(self.digests[number])
            for digest, value in zip(self.digests[number], values, strict=True):
                check_value(self.der, digest, value)


def enc(content: bytes) -> str:
    return b64encode(content).decode()


@dataclass
class Somebody:
    pins: list[str]
    prompts: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    modules: tuple[str, ...] = (MODULE,)

    def ask(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return self.pins.pop(0)

    def sign(self, server: Server, job: Job | None = None) -> None:
        person = Person(self.ask, self.seen.append, lambda: list(self.modules), threading.Event())
        signing.carry_out(job or server.job(), server, person)


def equipped(tokens: Tokens, kind: Kind = "p256", **more: Any) -> bytes:
    key = new_key(kind)
    made = der(certificate(key, **more))
    tokens.add("VNPT-CA")
    tokens.put_key("VNPT-CA", key)
    tokens.put_certificate("VNPT-CA", made)
    return made


@pytest.mark.parametrize("kind", ["rsa2048", "p256"])
def test_a_batch_is_shown_and_signed_after_one_pin(tokens: Tokens, kind: Kind) -> None:
    server, person = Server(equipped(tokens, kind)), Somebody([PIN])
    person.sign(server)
    server.assert_signed([0, 1, 2])
    assert len(person.prompts) == 1
    assert "ký 3 văn bản" in person.prompts[0]
    assert "Giáo viên chủ nhiệm ký duyệt: 3 học bạ" in person.seen[0]
    assert "Học sinh 2 – lớp 1A" in person.seen[0]
    assert server.states == ["PIN", "SIGNING"]
    assert "Đã ký 3/3 văn bản." in person.seen


def test_a_step_that_signs_the_xml_alone_gives_one_value_a_document(tokens: Tokens) -> None:
    server = Server(equipped(tokens), with_pdf=False)
    Somebody([PIN]).sign(server)
    server.assert_signed([0, 1, 2])


@pytest.mark.parametrize("part", ["xml", "signature", "pdf", "revision", "attributes"])
def test_a_document_that_does_not_fit_its_hash_is_refused_and_the_others_are_signed(tokens: Tokens, part: str) -> None:
    server, person = Server(equipped(tokens)), Somebody([PIN])
    other = Server(server.der, count=2)
    changed = b64decode(server.pieces[1][part])
    # the same part of another document, or a byte more: what a server in wrong hands would send
    server.pieces[1][part] = other.pieces[0][part] if other.pieces[0][part] != server.pieces[1][part] else enc(changed + b" ")
    person.sign(server)
    server.assert_signed([0, 2])
    assert server.answers[1] == {"failure": "refused"}
    assert any("Học sinh 1" in seen and "Không thực hiện yêu cầu" in seen for seen in person.seen)


def test_a_document_exchanged_whole_is_refused_although_it_fits_itself(tokens: Tokens) -> None:
    server, person = Server(equipped(tokens)), Somebody([PIN])
    server.pieces[1] = dict(server.pieces[0])
    person.sign(server)
    server.assert_signed([0, 2])
    assert server.answers[1] == {"failure": "refused"}


def test_a_list_that_is_not_the_one_in_the_signed_order_is_refused_before_the_pin(tokens: Tokens) -> None:
    server, person = Server(equipped(tokens)), Somebody([PIN])
    person.sign(server, server.job(items="0" * 64))
    assert (server.told, person.prompts, server.answers) == ([{"failure": "refused"}], [], {})


@pytest.mark.parametrize("changes", [{"count": 4}, {"batch": "other"}, {"scheme": "md5"}, {"title": "a\u202eb"}, {"certificate": "x"}])
def test_an_order_that_is_not_as_agreed_is_refused_before_the_pin(tokens: Tokens, changes: dict[str, Any]) -> None:
    server, person = Server(equipped(tokens)), Somebody([PIN])
    person.sign(server, server.job(**changes))
    assert (server.told, person.prompts) == ([{"failure": "refused"}], [])


def test_a_wrong_pin_may_be_corrected_and_three_end_the_batch(tokens: Tokens) -> None:
    made = equipped(tokens)
    server, person = Server(made), Somebody(["000000", PIN])
    person.sign(server)
    server.assert_signed([0, 1, 2])
    again, person = Server(made), Somebody(["000000"] * 9)
    person.sign(again)
    assert (len(person.prompts), again.states, again.answers) == (3, ["PIN", "pin_wrong"], {})
    assert PIN not in repr((person.seen, person.prompts, again.told))


def test_a_locked_pin_an_expired_certificate_and_an_empty_pin_end_the_batch_in_words(tokens: Tokens) -> None:
    server, person = Server(equipped(tokens)), Somebody([""])
    person.sign(server)
    assert server.states == ["PIN", "cancelled"]
    tokens.mark(LOCKED)
    locked, person = Server(server.der), Somebody([PIN])
    person.sign(locked)
    assert (locked.states, person.prompts) == (["PIN", "pin_locked"], [])
    tokens.remove_all()
    now = dt.datetime.now(dt.UTC)
    old, person = Server(equipped(tokens, until=now - dt.timedelta(days=1), since=now - dt.timedelta(days=9))), Somebody([PIN])
    person.sign(old)
    assert (old.states, person.prompts) == (["certificate_out_of_date"], [])
    assert any("hết hạn" in seen for seen in person.seen)


def test_a_token_pulled_out_in_the_middle_is_waited_for_and_nothing_is_signed_twice(tokens: Tokens) -> None:
    server, person = Server(equipped(tokens)), Somebody([PIN, PIN])
    away = tokens.store.with_name("away")

    def pulled_out(number: int) -> None:
        if number == 1 and not away.exists() and len(person.prompts) == 1:
            tokens.store.rename(away)
            tokens.store.mkdir()
            threading.Timer(0.3, plugged_in).start()

    def plugged_in() -> None:
        tokens.store.rmdir()
        away.rename(tokens.store)

    server.before_piece = pulled_out
    person.sign(server)
    server.assert_signed([0, 1, 2])
    assert server.states == ["PIN", "SIGNING", "UNPLUGGED", "PIN", "SIGNING"]
    assert len(person.prompts) == 2


def test_a_program_that_starts_anew_signs_only_what_was_not_answered(tokens: Tokens) -> None:
    server, person = Server(equipped(tokens), count=14), Somebody([PIN, PIN])

    def killed(number: int) -> None:
        if number == 12 and len(person.prompts) == 1:
            raise KeyboardInterrupt

    server.before_piece = killed
    with pytest.raises(KeyboardInterrupt):
        person.sign(server)
    answered = set(server.answers)
    assert answered
    assert answered < set(range(14))
    person.sign(server)
    server.assert_signed(range(14))


def test_a_server_that_is_away_for_a_moment_loses_nothing(tokens: Tokens) -> None:
    server, person = Server(equipped(tokens)), Somebody([PIN])

    def away(number: int) -> None:
        server.unreachable = 2 if number == 1 else 0

    server.before_piece = away
    person.sign(server)
    server.assert_signed([0, 1, 2])
    assert any("Không kết nối được máy chủ" in seen for seen in person.seen)


def test_a_batch_that_was_stopped_on_the_page_is_left(tokens: Tokens) -> None:
    server, person = Server(equipped(tokens)), Somebody([PIN])

    def stopped(number: int) -> None:
        server.over = number == 1

    server.before_piece = stopped
    person.sign(server)
    assert 2 not in server.answers
    assert any("đã dừng trên hệ thống" in seen for seen in person.seen)
