"""Which jobs the agent takes: signed by the paired server, for this agent, now, and no blind signing."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, OKPKey

from hocba_agent import jobs
from hocba_agent.troubles import Trouble
from services.means import challenge, token

AGENT = "agent-1"
KEY = OKPKey.generate_key("Ed25519", auto_kid=True)
KEYS: dict[str, Any] = dict(KeySet([KEY]).as_dict(private=False))
TEXT = f"{jobs.FIRST_LINE}\nMục đích: đăng ký tài khoản ký\n"
NOW = int(time.time())


def made(key: OKPKey = KEY, header: dict[str, Any] | None = None, **claims: Any) -> str:
    given = {"aud": AGENT, "jti": "job-1", "exp": NOW + 3600, "kind": "certificates", "content": {}, **claims}
    return jwt.encode({"alg": "Ed25519", "typ": jobs.JOB_TYPE, "kid": key.kid, **(header or {})}, given, key, algorithms=["Ed25519"])


def refusal_of(signed: str, *, agent: str = AGENT, now: float = NOW) -> Trouble:
    with pytest.raises(Trouble) as refused:
        jobs.open_job(signed, KEYS, agent, now)
    return refused.value


def test_a_job_of_the_paired_server_is_taken() -> None:
    job = jobs.open_job(made(), KEYS, AGENT, NOW)
    assert (job.id, job.kind, job.content, job.expires_at) == ("job-1", "certificates", {}, NOW + 3600)


def test_what_the_services_sign_is_what_the_agent_takes(tmp_path: Path) -> None:
    file = tmp_path / "key.jwk"
    file.write_text(json.dumps(KEY.as_dict(private=True)))
    signer = token.JobSigner(file)
    until = dt.datetime.fromtimestamp(NOW + 60, dt.UTC)
    content = {"text": TEXT, "certificate": "0" * 64, "scheme": "ecdsa"}
    signed = signer.sign(agent=AGENT, job="job-2", kind="prove", content=content, expires_at=until)
    job = jobs.open_job(signed, signer.public_keys(), AGENT, NOW)
    assert jobs.challenge_of(job.content) == jobs.Challenge(TEXT, "0" * 64, "ecdsa")


def test_the_published_keys_are_public_ones_only(tmp_path: Path) -> None:
    file = tmp_path / "key.jwk"
    file.write_text(json.dumps(KEY.as_dict(private=True)))
    published = token.JobSigner(file).public_keys()
    assert [set(key) & {"d", "k"} for key in published["keys"]] == [set()]


def test_a_job_that_another_key_signed_is_refused() -> None:
    other = OKPKey.generate_key("Ed25519", auto_kid=True)
    assert refusal_of(made(other)).code == "untrusted"
    assert refusal_of(made(other, {"kid": KEY.kid})).code == "untrusted"


def test_a_job_without_a_signature_is_refused() -> None:
    head, body, _ = made().split(".")
    none = jwt.encode({"alg": "none", "typ": jobs.JOB_TYPE}, {"aud": AGENT}, OctKey.generate_key(), algorithms=["none"])
    for forged in (f"{head}.{body}.", none, "", "a.b.c", "không phải"):
        assert refusal_of(forged).code == "untrusted"


def test_a_job_changed_on_the_way_is_refused() -> None:
    mine, others = made().split("."), made(aud="agent-2").split(".")
    assert refusal_of(f"{mine[0]}.{others[1]}.{mine[2]}").code == "untrusted"


def test_a_public_key_used_as_a_shared_secret_is_refused() -> None:
    secret = OctKey.import_key(str(KEY.as_dict(private=False)["x"]))
    forged = jwt.encode({"alg": "HS256", "typ": jobs.JOB_TYPE}, {"aud": AGENT, "exp": NOW + 60}, secret, algorithms=["HS256"])
    assert refusal_of(forged).code == "untrusted"


def test_a_job_for_another_agent_is_refused() -> None:
    assert "chương trình khác" in refusal_of(made(aud="agent-2")).cause
    assert "chương trình khác" in refusal_of(made(aud=[AGENT, "agent-2"])).cause


def test_a_job_past_its_time_is_refused() -> None:
    assert jobs.open_job(made(exp=NOW + 1), KEYS, AGENT, NOW).id == "job-1"
    assert "hết hạn" in refusal_of(made(exp=NOW)).cause


def test_a_signed_token_of_another_type_is_no_job() -> None:
    assert "không phải yêu cầu ký" in refusal_of(made(header={"typ": "JWT"})).cause


@pytest.mark.parametrize("missing", ["jti", "exp", "kind", "content"])
def test_a_job_that_leaves_something_out_is_refused(missing: str) -> None:
    assert refusal_of(made(KEY, None, **{missing: None})).code == "untrusted"


def test_the_agent_and_the_services_know_a_challenge_by_the_same_line() -> None:
    assert jobs.FIRST_LINE == challenge.FIRST_LINE
    assert jobs.LONGEST == challenge.LONGEST
    assert jobs.JOB_TYPE == token.JOB_TYPE


@pytest.mark.parametrize(
    "text",
    [
        "0123456789abcdef" * 4,
        "Kính gửi\n",
        f" {TEXT}",
        f"{jobs.FIRST_LINE} và hơn thế\n",
        jobs.FIRST_LINE,
        f"x\n{TEXT}",
        TEXT + "a" * jobs.LONGEST,
        f"{TEXT}\x1b[2J ẩn đi\n",
        f"{TEXT}a\u202eb\n",
        f"{TEXT}\r",
        7,
        None,
    ],
)
def test_what_is_no_readable_challenge_is_never_signed(text: Any) -> None:
    with pytest.raises(Trouble) as refused:
        jobs.challenge_of({"text": text, "certificate": "0" * 64, "scheme": "ecdsa"})
    assert refused.value.code == "refused"


@pytest.mark.parametrize(("field", "value"), [("certificate", "abc"), ("certificate", None), ("scheme", "rsa-raw"), ("scheme", ["ecdsa"])])
def test_an_order_outside_of_the_known_ones_is_refused(field: str, value: Any) -> None:
    with pytest.raises(Trouble) as refused:
        jobs.challenge_of({"text": TEXT, "certificate": "0" * 64, "scheme": "ecdsa", field: value})
    assert refused.value.code == "refused"
