"""What batches and registrations rely on, the same for every protocol, each against its sandbox server over real HTTP."""

from __future__ import annotations

import datetime as dt
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from infra.sandbox.provider.modes import falls_on
from services.chassis import clock
from services.means.remote import (
    Authorisation,
    Authorized,
    Credential,
    Expired,
    Outcome,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    Refusal,
    Rejected,
    Remote,
    Session,
    Waiting,
)
from services.means.x509 import check_value
from tests.unit.means.csc.helpers import everything_said
from tests.unit.means.remote.sandboxes import HASHES, KEY, LABELS, PASSWORD, SECRET, USER, Sandbox, verify

TITLE = "Ký duyệt của giáo viên chủ nhiệm: 7 học bạ"


async def ask(remote: Remote, session: Session, credential: Credential, transaction: str) -> Authorisation:
    return await remote.authorize(session, credential.id, HASHES, TITLE, transaction=transaction, labels=LABELS)


async def outcome(remote: Remote, session: Session, asked: Authorisation) -> Outcome:
    assert isinstance(asked, Waiting)
    return await remote.check(session, asked.handle)


async def agreed(remote: Remote, session: Session, credential: Credential, transaction: str) -> Authorized:
    answer = await outcome(remote, session, await ask(remote, session, credential, transaction))
    assert isinstance(answer, Authorized)
    return answer


def fits(value: bytes, digest: bytes) -> bool:
    try:
        verify(value, digest)
    except InvalidSignature:
        return False
    return True


async def test_an_account_shows_its_certificate_and_how_much_one_confirmation_covers(credential: Credential) -> None:
    assert check_value(credential.certificate, HASHES[0], _own_value()) == "rsa-pkcs1"
    assert credential.multisign >= 2 * 1000
    assert credential.secrets == ()


async def test_an_unknown_account_is_a_wrong_login(remote: Remote) -> None:
    with pytest.raises(ProviderRefused) as refused:
        await remote.login("031185999999", PASSWORD)
    assert refused.value.code is Refusal.WRONG_LOGIN


async def test_nothing_is_signed_before_the_person_has_confirmed_on_the_phone(
    remote: Remote, session: Session, credential: Credential, sandbox: Sandbox
) -> None:
    sandbox.phone("manual")
    before = sandbox.signatures()
    asked = await ask(remote, session, credential, "t-phone")
    assert await outcome(remote, session, asked) == asked
    [shown] = sandbox.pending()
    assert (shown["user"], shown["signatures"], sandbox.signatures()) == (USER, 7, before)
    sandbox.answer(shown["handle"], "confirm")
    assert isinstance(await outcome(remote, session, asked), Authorized)


async def test_the_phone_shows_the_provider_the_titles_and_the_count(
    remote: Remote, session: Session, credential: Credential, sandbox: Sandbox
) -> None:
    sandbox.phone("manual")
    await ask(remote, session, credential, "t-shown")
    page = sandbox.control.get("/phone").text
    title = {"csc": "Nguyễn Thị Đào 3 5A", "sp769": "Nguyen_Thi_Dao_3_5A-XML-", "mysign": "XML Nguyen Thi Dao 3 5A"}[sandbox.protocol]
    assert title in page
    assert ("Nhà cung cấp" in page, "Số chữ ký: 7" in page) == (True, True)


async def test_values_come_in_the_order_asked_for_also_for_a_part_of_the_batch(
    remote: Remote, session: Session, credential: Credential
) -> None:
    sad = (await agreed(remote, session, credential, "t-order")).sad
    wanted = [HASHES[5], HASHES[0], HASHES[3]]
    for value, digest in zip(await remote.sign(session, credential, sad, wanted, client_data="t-order"), wanted, strict=True):
        verify(value, digest)
    [last] = await remote.sign(session, credential, sad, [HASHES[6]], client_data="t-order")
    verify(last, HASHES[6])


async def test_another_process_goes_on_with_what_was_kept_of_the_transaction(
    remote: Remote, session: Session, credential: Credential, sandbox: Sandbox, secret_file: Path
) -> None:
    sad = (await agreed(remote, session, credential, "t-crash")).sad
    asked, other = sandbox.asked(), sandbox.adapter(secret_file)
    again = Session(session.access_token, session.expires_at)
    for value, digest in zip(await other.sign(again, credential, sad, HASHES, client_data="t-crash"), HASHES, strict=True):
        verify(value, digest)
    assert sandbox.asked() == asked
    await other.aclose()


@pytest.mark.parametrize(("mode", "kind"), [("reject", Rejected), ("expire", Expired)])
async def test_a_no_and_no_answer_are_told_apart_and_stay_what_they_are(
    remote: Remote, session: Session, credential: Credential, sandbox: Sandbox, *, mode: str, kind: type
) -> None:
    sandbox.phone(mode)
    asked = await ask(remote, session, credential, f"t-{mode}")
    often = sandbox.asked()
    sandbox.phone("auto")
    assert [type(await outcome(remote, session, asked)) for _ in range(2)] == [kind, kind]
    assert sandbox.asked() == often, "a rejection is never asked again by itself"


async def test_a_wrong_value_is_wrong_alone(remote: Remote, session: Session, credential: Credential, sandbox: Sandbox) -> None:
    sandbox.order("faults", wrong_percent=40)
    wrong = [falls_on("wrong", b64encode(each).decode(), 40) for each in HASHES]
    assert 0 < sum(wrong) < len(HASHES)
    sad = (await agreed(remote, session, credential, "t-wrong")).sad
    values = await remote.sign(session, credential, sad, HASHES, client_data="t-wrong")
    assert [not fits(value, digest) for value, digest in zip(values, HASHES, strict=True)] == wrong


async def test_hashes_that_are_not_signed_have_no_value_and_cost_the_others_nothing(
    remote: Remote, session: Session, credential: Credential, sandbox: Sandbox
) -> None:
    sandbox.order("faults", refuse_percent=30)
    refused = [falls_on("refuse", b64encode(each).decode(), 30) for each in HASHES]
    assert 0 < sum(refused) < len(HASHES)
    before = sandbox.signatures()
    sad = (await agreed(remote, session, credential, "t-partial")).sad
    values = await remote.sign(session, credential, sad, HASHES, client_data="t-partial")
    assert [value == b"" for value in values] == refused
    assert [fits(value, digest) for value, digest in zip(values, HASHES, strict=True)] == [not each for each in refused]
    assert sandbox.signatures() == before + refused.count(False)


@pytest.mark.parametrize(("fault", "sent"), [("down", False), ("fail_next", True)])
async def test_a_provider_in_trouble_is_away_and_not_broken(
    remote: Remote, session: Session, credential: Credential, sandbox: Sandbox, fault: str, *, sent: bool
) -> None:
    asked = await ask(remote, session, credential, f"t-{fault}")
    sandbox.order("faults", endpoint="credentials/authorizeCheck", **{fault: 1})
    with pytest.raises(ProviderUnavailable) as away:
        await outcome(remote, session, asked)
    assert away.value.sent is sent
    sandbox.order("faults", endpoint="credentials/authorizeCheck", **{fault: 0})
    assert isinstance(await outcome(remote, session, asked), Authorized)


async def test_every_second_call_may_fail_and_every_outcome_is_right(
    remote: Remote, session: Session, credential: Credential, sandbox: Sandbox
) -> None:
    sandbox.order("faults", fail_percent=50, endpoint="credentials/authorizeCheck")
    asked = await ask(remote, session, credential, "t-half")
    results: list[Outcome | None] = []
    for _ in range(6):
        try:
            results.append(await outcome(remote, session, asked))
        except ProviderUnavailable:
            results.append(None)
    assert sorted(result is None for result in results) == [False] * 3 + [True] * 3


async def test_a_lost_answer_never_makes_the_phone_ask_twice_where_that_can_be_known(
    remote: Remote, session: Session, credential: Credential, sandbox: Sandbox
) -> None:
    before = sandbox.asked()
    sandbox.order("faults", endpoint="credentials/authorize", lose_answer_next=1)
    with pytest.raises(ProviderError) as lost:
        await ask(remote, session, credential, "t-lost")
    if sandbox.protocol == "mysign":
        assert isinstance(lost.value, ProviderRefused)
        assert lost.value.code is Refusal.UNKNOWN_TRANSACTION
    else:
        assert isinstance(lost.value, ProviderUnavailable)
        assert lost.value.sent
    if sandbox.protocol == "sp769":
        again = await ask(remote, session, credential, "t-lost")
        assert again == Waiting("t-lost")
        assert isinstance(await outcome(remote, session, again), Authorized)
    assert sandbox.asked() == before + 1


async def test_a_session_that_is_over_sends_nothing(remote: Remote, session: Session, credential: Credential) -> None:
    over = Session(session.access_token, clock.now() - dt.timedelta(seconds=1), session.user)
    await remote.aclose()
    for call in (remote.check(over, "t-1.AAAA"), remote.sign(over, credential, "t-1.AAAA", HASHES, client_data="t")):
        with pytest.raises(ProviderRefused) as refused:
            await call
        assert refused.value.code is Refusal.SESSION_EXPIRED


async def test_no_secret_is_in_what_can_be_printed_of_a_failure(remote: Remote, session: Session, sandbox: Sandbox) -> None:
    sandbox.order("faults", down=True)
    for call in (remote.login(USER, PASSWORD), remote.authorize(session, "none", HASHES, TITLE)):
        with pytest.raises(ProviderError) as failed:
            await call
        said = everything_said(failed.value)
        assert [secret for secret in (SECRET, PASSWORD) if secret in said] == []
    assert SECRET not in repr(session)


async def test_what_is_no_sha256_is_never_sent(remote: Remote, session: Session, sandbox: Sandbox) -> None:
    before = sandbox.asked()
    for hashes in ([], [b"short"]):
        with pytest.raises(ValueError, match="SHA-256"):
            await remote.authorize(session, "cred-1", hashes, TITLE)
    assert sandbox.asked() == before


def _own_value() -> bytes:
    return KEY.sign(HASHES[0], padding.PKCS1v15(), Prehashed(SHA256()))
