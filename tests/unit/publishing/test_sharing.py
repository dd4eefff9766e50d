"""Share links: what may be shared, for how long, and what is a link's secret."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.access import Action, Principal, Role, allowed, confirmed
from services.chassis.errors import Refused
from services.publishing.sharing import rules, secret
from services.publishing.verification.source import STANDING, Source, Standing

NOW = dt.datetime(2026, 6, 12, 3, 0, tzinfo=dt.UTC)
CLERK = Principal(person="31300001005", name="Lê Thị Học Vụ", roles=frozenset({Role.CLERK}), school="31300001")
ASK = rules.Ask(asker="Nguyễn Gia Thành", relation="Cha", purpose="Xét tuyển lớp 6", reference="Đơn số 12/2026", days=7)
SOURCE = Source("t1", "transcript", "Trường Tiểu học An Hồng", "2025-2026", 1, "in_force", {}, frozenset())
Pair = tuple[dict[str, Any] | None, Source | None]


def pair(key: str = "t1", *, standing: Standing = "in_force", **changes: Any) -> Pair:
    file = {"bucket": "records", "key": key, "sha256": "a" * 64, "size": 1}
    about = {"school": "31300001", "year": "2025-2026", "class_code": "5A", "grade": 5, "version": 1, "state": "ACCEPTED"}
    pupil = {"pupil_code": "3130007200042", "pupil_name": "Trần Văn Kín", "pdf": file, "xml": file}
    return {"_id": key, **about, **pupil, **changes}, replace(SOURCE, document=key, standing=standing)


def share(*chosen: Pair) -> rules.Share:
    return rules.made("s1", "d" * 64, list(chosen or (pair(),)), ASK, who=CLERK, at=NOW)


def test_a_link_is_in_force_for_the_days_that_were_asked_for_and_not_a_moment_longer() -> None:
    made = share()
    assert made["until"] == NOW + dt.timedelta(days=7)
    last = made["until"] - dt.timedelta(milliseconds=1)
    assert [rules.state_of(made, at) for at in (NOW, last, made["until"])] == ["in_force", "in_force", "ended"]


def test_the_newest_year_stands_first_and_each_transcript_keeps_its_files() -> None:
    made = share(pair("t1", year="2024-2025"), pair("t2"))
    assert [t["id"] for t in made["transcripts"]] == ["t2", "t1"]
    assert rules.transcript_in(made, "") == made["transcripts"][0]
    assert rules.transcript_in(made, "t1") == made["transcripts"][1]
    assert rules.transcript_in(made, "t3") is None


@pytest.mark.parametrize("standing", [s for s in STANDING if s != "in_force"])
def test_a_version_that_is_not_in_force_is_not_shared(standing: Standing) -> None:
    with pytest.raises(Refused, match="HB-PUB-091"):
        share(pair(standing=standing))


@pytest.mark.parametrize(
    "chosen",
    [
        [],
        [(None, None)],
        [pair(state="NOT_CONFIRMED")],
        [pair(state="CANCELLED")],
        [pair(kind="class_summary")],
        [pair(school="31300002")],
        [(pair()[0], None)],
        [pair(), pair("t2", pupil_code="3130007200043")],
        [pair(), (None, None)],
    ],
    ids=["none", "unknown", "unconfirmed", "cancelled", "summary", "another-school", "unknown-at-source", "two-pupils", "one-of-two"],
)
def test_only_confirmed_transcripts_of_one_pupil_of_the_own_school_are_shared(chosen: list[Pair]) -> None:
    with pytest.raises(Refused, match="HB-PUB-091"):
        rules.made("s1", "d" * 64, chosen, ASK, who=CLERK, at=NOW)


def test_a_revoked_link_keeps_who_took_it_back_and_why_and_stays_revoked_after_its_end() -> None:
    after = rules.revoked(share(), "Gửi nhầm người", who=CLERK, at=NOW)
    assert (after["revoked_by"], after["reason"]) == (CLERK.person, "Gửi nhầm người")
    assert rules.state_of(after, NOW + dt.timedelta(days=99)) == "revoked"
    with pytest.raises(Refused, match="HB-PUB-093"):
        rules.revoked(after, "Gửi nhầm người", who=CLERK, at=NOW)


def test_a_link_that_has_run_out_cannot_be_revoked() -> None:
    with pytest.raises(Refused, match="HB-PUB-093"):
        rules.revoked(share(), "Gửi nhầm người", who=CLERK, at=NOW + dt.timedelta(days=7))


@pytest.mark.parametrize("text", ["", " \u200b  ", "abc", "x" * 501])
def test_a_reason_that_says_nothing_or_a_book_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="HB-PUB-092"):
        rules.reason_of(text)


@pytest.mark.parametrize("days", ["0", "31", "-1", "", "7.5", "mười"])
def test_a_time_outside_the_policy_is_refused(days: str) -> None:
    with pytest.raises(ValidationError):
        rules.Ask.model_validate({**ASK.model_dump(), "days": days})


@pytest.mark.parametrize("field", ["asker", "purpose", "reference", "relation"])
@pytest.mark.parametrize("text", ["", "  ", "\u200b", "x" * 201])
def test_a_request_without_asker_purpose_or_reference_is_refused(field: str, text: str) -> None:
    with pytest.raises(ValidationError):
        rules.Ask.model_validate({**ASK.model_dump(), field: text})


def test_administrator_and_clerk_of_the_school_share_when_they_are_known_anew() -> None:
    may = {role for role in Role if allowed(CLERK.model_copy(update={"roles": frozenset({role})}), Action.SHARE, school="31300001")}
    assert may == {Role.ADMINISTRATOR, Role.CLERK}
    assert not allowed(CLERK, Action.SHARE, school="31300002")
    assert not confirmed(CLERK, Action.SHARE, at=int(NOW.timestamp()))


def test_a_secret_has_at_least_128_bits_and_no_two_are_alike() -> None:
    made = {secret.new() for _ in range(500)}
    assert len(made) == 500
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", each) for each in made)
    assert len(secret.ALPHABET) ** secret.LENGTH >= 2**128


@given(st.text(alphabet=secret.ALPHABET, min_size=secret.LENGTH, max_size=secret.LENGTH))
def test_a_secret_is_found_in_whatever_way_it_is_written(told: str) -> None:
    grouped = secret.grouped(told)
    read_aloud = grouped.lower().replace("0", "o").replace("1", "l")
    for text in (told, grouped, f" {grouped.lower()} ", read_aloud, f"https://hocba.example/ui/publishing/shared#{told}"):
        assert secret.typed(text) == told


@given(st.text(max_size=600))
def test_what_is_no_secret_is_none(text: str) -> None:
    found = secret.typed(text)
    assert found is None or len(found) == secret.LENGTH


def test_the_digest_of_a_secret_does_not_hold_it() -> None:
    told = secret.new()
    assert re.fullmatch(r"[0-9a-f]{64}", secret.digest_of(told))
    assert secret.digest_of(told) == secret.digest_of(told)
    assert told.lower() not in secret.digest_of(told)
