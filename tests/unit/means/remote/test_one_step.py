"""What the protocols that sign in one step have beside the contract: envelopes, names, service secrets, webhooks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from services.means.one_step import Finished
from services.means.provider_http import bare_value, plain_name
from services.means.remote import Authorized, Credential, Label, ProviderBroken, ProviderRefused, Refusal, Remote, Session, Waiting
from tests.unit.means.remote.sandboxes import HASHES, LABELS, PASSWORD, USER, Sandbox, verify


@pytest.fixture(params=["sp769", "mysign"])
def sandbox(request: pytest.FixtureRequest, servers: dict[str, Sandbox]) -> Sandbox:
    found = servers[request.param]
    found.usual()
    return found


async def started(remote: Remote, session: Session, credential: Credential, transaction: str) -> str:
    asked = await remote.authorize(session, credential.id, HASHES, "Ký học bạ", transaction=transaction, labels=LABELS)
    assert isinstance(asked, Waiting)
    return asked.handle


async def values_of(remote: Remote, session: Session, credential: Credential, transaction: str) -> list[bytes]:
    handle = await started(remote, session, credential, transaction)
    assert isinstance(await remote.check(session, handle), Authorized)
    return await remote.sign(session, credential, handle, HASHES, client_data=transaction)


async def test_a_value_in_an_envelope_is_taken_out_of_it(
    remote: Remote, session: Session, credential: Credential, sandbox: Sandbox
) -> None:
    sandbox.order("modes", wrapped="cms")
    for value, digest in zip(await values_of(remote, session, credential, "e-1"), HASHES, strict=True):
        verify(value, digest)


async def test_an_envelope_that_signs_something_else_is_no_signature_of_the_hash(
    remote: Remote, session: Session, credential: Credential, sandbox: Sandbox
) -> None:
    sandbox.order("modes", wrapped="cms with attributes")
    for value, digest in zip(await values_of(remote, session, credential, "e-2"), HASHES, strict=True):
        with pytest.raises(InvalidSignature):
            verify(value, digest)


@pytest.mark.parametrize("value", [b"", b"\x30", b"\x30\x03\x02\x01\x01", b"\x00" * 256, b"\x30\x80" * 40])
def test_what_is_no_envelope_stays_as_it_is(value: bytes) -> None:
    assert bare_value(value) == value


async def test_a_service_with_a_wrong_secret_is_a_matter_for_the_operator(sandbox: Sandbox, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("khác", encoding="utf-8")
    service = sandbox.adapter(wrong)
    with pytest.raises(ProviderRefused) as refused:
        await service.login(USER, PASSWORD)
    assert refused.value.code is Refusal.SERVICE_REFUSED
    await service.aclose()


async def test_a_transaction_that_the_provider_does_not_know_is_refused(remote: Remote, session: Session) -> None:
    for call in (remote.check(session, "unknown.AAAAAAAAAAA="), remote.check(session, "other.AAAAAAAAAAA=")):
        with pytest.raises(ProviderRefused) as refused:
            await call
        assert refused.value.code is Refusal.UNKNOWN_TRANSACTION


async def test_one_hash_twice_is_signed_once_and_given_twice(
    remote: Remote, session: Session, credential: Credential, sandbox: Sandbox
) -> None:
    before = sandbox.signatures()
    twice = [HASHES[0], HASHES[1], HASHES[0]]
    asked = await remote.authorize(session, credential.id, twice, "Ký", transaction="twice", labels=LABELS[:3])
    assert isinstance(asked, Waiting)
    assert isinstance(await remote.check(session, asked.handle), Authorized)
    first, _, again = await remote.sign(session, credential, asked.handle, twice, client_data="twice")
    verify(first, HASHES[0])
    assert (first == again, sandbox.signatures()) == (True, before + 2)


async def test_fewer_values_than_hashes_without_saying_whose_are_no_answer(servers: dict[str, Sandbox], secret_file: Path) -> None:
    sandbox = servers["mysign"]
    sandbox.usual()
    remote = sandbox.adapter(secret_file)
    session = await remote.login(USER, "")
    handle = await started(remote, session, (await remote.list_credentials(session))[0], "short")
    sandbox.order("faults", one_short_next=1)
    with pytest.raises(ProviderBroken):
        await remote.check(session, handle)
    assert isinstance(await remote.check(session, handle), Authorized)
    await remote.aclose()


async def test_the_values_of_a_few_transactions_are_kept_and_no_more() -> None:
    finished = Finished()
    for number in range(20):
        finished.keep(str(number), {"mark": b"value"})
    assert [finished.of(str(number)) is not None for number in (0, 11, 12, 19)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Học bạ – Đặng Thị Ưng, lớp 5A", "Hoc ba Dang Thi Ung lop 5A"),
        ("  Ký_duyệt-2  ", "Ky_duyet-2"),
        ("学生", ""),
        ("x" * 80, "x" * 72),
    ],
)
def test_names_are_shown_in_plain_letters_and_cut(title: str, shown: str) -> None:
    assert plain_name(title, 72) == shown


async def test_labels_that_are_not_one_a_hash_are_a_mistake_of_ours(remote: Remote, session: Session) -> None:
    with pytest.raises(ValueError, match="zip"):
        await remote.authorize(session, "any", HASHES, "Ký", transaction="x", labels=[Label("một", "xml")])


# webhooks, as the provider sends them


@dataclass
class Receiver:
    url: str
    received: list[dict[str, Any]] = field(default_factory=list)
    came: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def wait(self, count: int) -> list[dict[str, Any]]:
        assert all(self.came.acquire(timeout=20) for _ in range(count))
        return self.received


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            made.came.release()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def named(hook: dict[str, Any]) -> str:
    return str(hook["meta_data"]["transaction_id"] if "meta_data" in hook else hook["transaction_id"])


async def test_a_webhook_comes_once_or_thrice_or_after_forged_ones_or_not_at_all(
    remote: Remote, session: Session, credential: Credential, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.order("webhook", url=receiver.url)
    handles = []
    for number, (fault, count) in enumerate({"": 1, "repeat_webhook_next": 3, "forge_webhook_next": 3}.items()):
        sandbox.order("faults", **({fault: 1} if fault else {}))
        receiver.received.clear()
        handles.append(await started(remote, session, credential, f"hook-{number}"))
        ours = handles[-1].partition(".")[0]
        names = [named(hook) for hook in receiver.wait(count)]
        assert names.count(ours) == {"": 1, "repeat_webhook_next": 3, "forge_webhook_next": 2}[fault]
    sandbox.order("faults", lose_webhook_next=1)
    receiver.received.clear()
    lost = await started(remote, session, credential, "hook-lost")
    assert isinstance(await remote.check(session, lost), Authorized)
    after = await started(remote, session, credential, "hook-after")
    assert [named(hook) for hook in receiver.wait(1)] == [after.partition(".")[0]]
