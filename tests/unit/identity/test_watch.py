"""When certificates are asked about, what answers mean, and who is told in which words."""

from __future__ import annotations

import datetime as dt
from typing import Any, get_args

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from services.identity.certificates.expiry import days_left, expiry_warning
from services.identity.certificates.registrations import APPROVED, SUSPENDED
from services.identity.certificates.watch_lists import revoked_serials
from services.identity.certificates.watch_rules import TOLD_AFTER, Times, is_long_unchecked, meaning, next_look, share
from services.identity.notices import notices
from services.identity.organisations import people
from services.means.validation_data import Unprovable, ValidationDataUnavailable

AT = dt.datetime(2026, 5, 28, 1, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
TIMES = Times()
KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])


def certificate(number: int) -> bytes:
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(KEY.public_key()).serial_number(number)
    made = builder.not_valid_before(AT - DAY).not_valid_after(AT + DAY).sign(KEY, hashes.SHA256())
    return made.public_bytes(Encoding.DER)


LEAF, ISSUER = certificate(1), certificate(2)


def registration(**more: Any) -> dict[str, Any]:
    facts = {"subject": "Nguyễn Văn 6", "serial": "0A", "valid_to": AT + 20 * DAY}
    return {
        "_id": "r-1",
        "sequence": 3,
        "kind": "person",
        "owner": "6",
        "person": "6",
        "school": "31300001",
        "state": APPROVED,
        "sha256": "aa",
        "facts": facts,
        **more,
    }


# the schedule


@given(st.lists(st.uuids(), min_size=200, max_size=200, unique=True))
def test_the_turns_of_many_certificates_are_spread_over_the_whole_period(keys: list[Any]) -> None:
    turns = [share(str(key)) for key in keys]
    assert all(0 <= turn < 1 for turn in turns)
    quarters = [sum(i / 4 <= turn < (i + 1) / 4 for turn in turns) for i in range(4)]
    assert min(quarters) > 15


def test_a_certificate_has_its_first_turn_within_a_period_and_the_next_a_whole_period_later() -> None:
    first = next_look(registration(), TIMES, AT, listed=True)
    assert AT <= first < AT + TIMES.listed
    assert next_look(registration(checked_at=AT), TIMES, AT, listed=True) == AT + TIMES.listed


def test_what_no_list_covers_is_asked_about_as_often_as_a_list_is() -> None:
    assert next_look(registration(checked_at=AT), TIMES, AT, listed=False) == AT + dt.timedelta(minutes=15) == AT + TIMES.lists


def test_what_is_on_hold_is_asked_about_often_so_that_it_comes_back_soon() -> None:
    held = registration(checked_at=AT, state=SUSPENDED)
    assert next_look(held, TIMES, AT, listed=True) == AT + TIMES.alone


# answers


@pytest.mark.parametrize(
    ("problem", "state", "reason"),
    [
        (Unprovable(LEAF, "revoked", AT), "revoked", "revoked"),
        (Unprovable(ISSUER, "revoked", AT), "revoked", "issuer revoked"),
        (Unprovable(LEAF, "revoked", AT, suspended=True), "suspended", "suspended"),
        (Unprovable(LEAF, "untrusted"), "unknown", "untrusted"),
        (Unprovable(LEAF, "expired"), "unknown", "expired"),
        (ValidationDataUnavailable("nobody answers"), "unknown", ""),
    ],
)
def test_only_a_revocation_ends_a_certificate(problem: Exception, state: str, reason: str) -> None:
    answer = meaning(problem, LEAF)
    assert (answer.state, answer.reason) == (state, reason)


def test_a_defect_of_our_own_is_no_answer() -> None:
    with pytest.raises(KeyError):
        meaning(KeyError("x"), LEAF)


def test_people_are_told_of_silence_after_a_day_and_once() -> None:
    assert not is_long_unchecked(registration(), AT)
    assert not is_long_unchecked(registration(unchecked_since=AT - TOLD_AFTER + dt.timedelta(seconds=1)), AT)
    assert is_long_unchecked(registration(unchecked_since=AT - TOLD_AFTER), AT)
    assert not is_long_unchecked(registration(unchecked_since=AT - TOLD_AFTER, unchecked_told=True), AT)
    assert not is_long_unchecked(registration(unchecked_since=AT - TOLD_AFTER, state=SUSPENDED), AT)


def crl(*serials: int, scope: x509.IssuingDistributionPoint | None = None) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(NAME).last_update(AT).next_update(AT + DAY)
    for number in serials:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(number).revocation_date(AT - DAY if number < 1000 else AT + DAY).build()
        )
    if scope is not None:
        builder = builder.add_extension(scope, critical=True)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def point(**scope: bool) -> x509.IssuingDistributionPoint:
    flags = {"only_contains_user_certs": False, "only_contains_ca_certs": False, "indirect_crl": False, **scope}
    where = [x509.UniformResourceIdentifier("http://ca.example/crl")]
    return x509.IssuingDistributionPoint(
        full_name=where, relative_name=None, only_some_reasons=None, only_contains_attribute_certs=False, **flags
    )


def test_a_list_names_those_revoked_by_now_as_registrations_write_serial_numbers() -> None:
    assert revoked_serials([crl(10, 255, 2000)], AT) == ["A", "FF"]
    assert revoked_serials([crl(10), crl(11, scope=point(only_contains_user_certs=True))], AT) == ["A", "B"]
    assert revoked_serials([crl()], AT) == []


def test_the_silence_of_a_list_for_other_issuers_means_nothing() -> None:
    assert revoked_serials([crl(10, scope=point(indirect_crl=True))], AT) is None


# the calendar


@pytest.mark.parametrize(("left", "warning"), [(31, None), (30, 30), (16, 30), (15, 15), (8, 15), (7, 7), (1, 7), (0, 7), (-1, None)])
def test_a_warning_comes_thirty_fifteen_and_seven_days_ahead(left: int, warning: int | None) -> None:
    until = AT + left * DAY + dt.timedelta(hours=1)
    assert (days_left(until, AT), expiry_warning(until, AT)) == (left, warning)


def test_days_are_those_of_the_vietnamese_calendar() -> None:
    evening = dt.datetime(2026, 5, 28, 16, 30, tzinfo=dt.UTC)
    assert days_left(evening + dt.timedelta(hours=1), evening) == 1


# who is told


def person(code: str, position: str = "Giáo viên", **facts: Any) -> dict[str, Any]:
    return people.with_roles({**people.blank(code, f"Người {code}", school="31300001"), "listed": True, "position": position, **facts})


STAFF = [
    person("1", "Hiệu trưởng"),
    person("2", "Phó hiệu trưởng"),
    person("3", "Nhân viên", administrator=True),
    person("4", "Nhân viên", issuer=True),
    person("6", teaches=True),
]


def test_a_teachers_certificate_concerns_the_teacher_alone() -> None:
    assert notices.concerned(registration(), STAFF) == ["6"]


def test_a_managers_certificate_concerns_the_manager_and_the_administrators() -> None:
    assert notices.concerned(registration(owner="1"), STAFF) == ["1", "3"]


def test_the_certificate_of_the_school_concerns_administrators_managers_and_issuers() -> None:
    assert notices.concerned(registration(kind="school", owner="31300001"), STAFF) == ["1", "2", "3", "4"]


def test_the_same_fact_gives_the_same_notices_and_another_fact_gives_others() -> None:
    def ids(what: notices.What, **more: Any) -> list[str]:
        days = more.pop("days", None)
        return [n["_id"] for n in notices.made(registration(**more), what, STAFF, at=AT, days=days)]

    assert ids("revoked") == ids("revoked", _id="of another year", sequence=9)
    assert ids("refused") == ids("refused")
    assert ids("suspended") != ids("suspended", sequence=9)
    assert ids("expiring", days=30) != ids("expiring", days=15)


@pytest.mark.parametrize("what", get_args(notices.What))
@pytest.mark.parametrize("kind", ["person", "school"])
def test_every_notice_has_its_words(what: notices.What, kind: str) -> None:
    owner = "1" if kind == "person" else "31300001"
    made = notices.made(registration(kind=kind, owner=owner), what, STAFF, at=AT, reason="Sai họ tên.", days=7)
    texts = {notices.title(n) for n in made}
    assert all(t[0].isupper() and not t.endswith(".") for t in texts)
    assert all(notices.body(n).endswith(".") for n in made)
    assert (what in notices.STATUS, what in notices.TONES) == (True, True)
    if kind == "person":
        assert any("Người 1" in t for t in texts)
        assert any("thầy/cô" in t for t in texts)
