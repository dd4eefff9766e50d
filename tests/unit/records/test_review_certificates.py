"""How a signer's certificate stands, by what identity has told of it."""

from __future__ import annotations

import datetime as dt
from base64 import b64encode
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from contracts.event import Event, Fact
from contracts.events.identity import CertificateApprovedV1, CertificateEndedV1, CertificateRefusedV1, CertificateRequestedV1
from services.records.review.certificates import Standing, standing, told_of

NOW = dt.datetime(2026, 5, 28, 3, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
WHO: dict[str, Any] = {"school": "31300001", "person": "31300001003"}


def certificate(until: dt.datetime, since: dt.datetime) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Trần Ước")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), since, until).sign(key, hashes.SHA256())
    return b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def approved(days: float, since: float = -300, kind: Any = "person") -> CertificateApprovedV1:
    """Valid until so many days after NOW."""
    content = certificate(NOW + days * DAY, NOW + since * DAY)
    more: dict[str, Any] = {"provider": "", "credential_id": "", "chain": (), "owner_id": "031185002506"}
    return CertificateApprovedV1(kind=kind, year="2025-2026", means="token", certificate=content, **WHO, **more)


def ended(reason: str) -> CertificateEndedV1:
    return CertificateEndedV1(kind="person", certificate_sha256="0" * 64, reason=reason, **WHO)


def requested() -> CertificateRequestedV1:
    text = dict.fromkeys(("school_name", "person_name", "certificate_subject", "certificate_issuer", "certificate_serial"), "x")
    return CertificateRequestedV1(kind="manager", path=(), valid_from=NOW, valid_to=NOW + 300 * DAY, **text, **WHO)


def told(*facts: Fact, request: str = "r1", begins: int = 1) -> dict[str, Any]:
    """What is kept of one registration after these events, a day apart."""
    document: dict[str, Any] = {}
    for at, fact in enumerate(facts, begins):
        about: Event[Fact] = Event(
            type=type(fact).__name__, subject=request, sequence=at, occurred_at=NOW - (20 - at) * DAY, actor="x", data=fact
        )
        document = told_of(about, document)
    return document


def test_who_never_registered_has_none_and_cannot_sign() -> None:
    assert standing([], NOW) == Standing("Chưa đăng ký", "Chưa có tài khoản ký được duyệt")


def test_an_approved_certificate_is_shown_with_its_last_day() -> None:
    assert standing([told(approved(100))], NOW) == Standing("Đã duyệt, đến 05/09/2026")


@pytest.mark.parametrize(("days", "words"), [(30, "Đã duyệt, sắp hết hạn: 27/06/2026"), (31, "Đã duyệt, đến 28/06/2026")])
def test_from_thirty_days_before_its_end_it_is_called_expiring_and_may_still_sign(days: int, words: str) -> None:
    assert standing([told(approved(days))], NOW) == Standing(words)


def test_one_that_ran_out_or_does_not_hold_yet_cannot_sign_even_before_identity_says_so() -> None:
    assert standing([told(approved(-1))], NOW).missing == "Chứng thư số hết hạn ngày 27/05/2026"
    assert standing([told(approved(300, since=2))], NOW).missing == "Chứng thư số chưa có hiệu lực trước ngày 30/05/2026"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("revoked", "Chứng thư số đã bị thu hồi"),
        ("issuer revoked", "Chứng thư số của đơn vị cấp đã bị thu hồi"),
        ("suspended", "Chứng thư số đang bị đơn vị cấp tạm dừng"),
        ("replaced", "Chưa có tài khoản ký được duyệt"),
    ],
)
def test_one_that_ended_says_why_and_is_missing(reason: str, words: str) -> None:
    assert standing([told(approved(100), ended(reason))], NOW) == Standing(words, words)


def test_one_that_was_on_hold_signs_again_once_it_was_approved_anew() -> None:
    assert standing([told(approved(100), ended("suspended"), approved(100))], NOW).missing == ""


def test_the_one_that_replaced_another_counts_whichever_was_told_first() -> None:
    old, new = told(approved(10), ended("replaced")), told(approved(200), request="r2", begins=5)
    assert standing([old, new], NOW) == standing([new, old], NOW) == Standing("Đã duyệt, đến 14/12/2026")


def test_what_waits_or_was_refused_is_told_apart() -> None:
    refusal = CertificateRefusedV1(kind="person", reason="x", **WHO)
    assert standing([told(requested())], NOW) == Standing("Chờ duyệt", "Tài khoản ký đang chờ duyệt")
    assert standing([told(requested(), refusal)], NOW).words == "Từ chối duyệt"
    waiting_beside_a_revoked_one = [told(approved(100), ended("revoked")), told(requested(), request="r2")]
    assert standing(waiting_beside_a_revoked_one, NOW).words == "Chờ duyệt"


def test_a_certificate_of_the_school_belongs_to_the_school_and_not_to_who_asked_for_it() -> None:
    assert told(approved(100, kind="school"))["owner"] == "school:31300001"
    assert told(approved(100))["owner"] == "person:31300001003"
