"""What may be registered, who decides, and what is told to others."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from contracts.events.identity import CertificateApprovedV1, CertificateEndedV1, CertificateRequestedV1
from services.chassis.aggregates import Change
from services.chassis.errors import Refused
from services.identity.certificates import registrations as certificates
from services.identity.certificates.registrations import Candidate, Wanted
from services.identity.organisations import people
from services.means import x509

AT = dt.datetime(2026, 5, 28, 1, 0, tzinfo=dt.UTC)
SCHOOL = {"_id": "31300001", "name": "Trường", "tax_code": "0231300001", "path": ["031", "03101"], "year": "2025-2026"}
EXPIRED = x509.Problem(code="expired", message_vi="Chứng thư số đã hết hạn.", action_vi="Gia hạn.")


def person(code: str = "6", position: str = "Giáo viên", **facts: Any) -> dict[str, Any]:
    blank = people.blank(code, "Nguyễn Văn An", school="31300001")
    return people.with_roles({**blank, "listed": True, "position": position, "personal_id": "031190000006", **facts})


def candidate(credential: str = "c1", *problems: x509.Problem) -> Candidate:
    facts = x509.CertificateFacts(
        subject="Nguyễn Văn An",
        subject_full="CN=Nguyễn Văn An",
        personal_id="031190000006",
        tax_code=None,
        kind="personal",
        issuer="CA",
        serial="0A",
        not_before=AT,
        not_after=AT + dt.timedelta(days=365),
        key_algorithm="rsa",
        key_bits=2048,
        signature_hash="sha256",
        usages=("digital_signature",),
        is_authority=False,
    )
    return Candidate(credential, credential.encode(), (b"issuer",), facts, problems)


def register(who: dict[str, Any], kind: certificates.Kind = "person", **more: Any) -> Change | None:
    where = {"means": "remote", "provider": "sandbox", "proof": {}}
    given: dict[str, Any] = {**where, "reason": "", "waiting": None, "approved": None, "at": AT, **more}
    chosen = given.pop("chosen", candidate())
    return certificates.register(Wanted(kind, SCHOOL, who), chosen, **given)


def made(who: dict[str, Any], kind: certificates.Kind = "person", **more: Any) -> dict[str, Any]:
    change = register(who, kind, **more)
    assert change is not None
    return change.document


def test_the_only_usable_credential_is_chosen() -> None:
    assert certificates.choose([candidate("a", EXPIRED), candidate("b")], None).credential_id == "b"


def test_everything_that_is_wrong_is_said() -> None:
    with pytest.raises(Refused, match="HB-IDN-027") as refused:
        certificates.choose([candidate("a", EXPIRED)], "a")
    assert (refused.value.cause, refused.value.action) == ("Chứng thư số đã hết hạn.", "Gia hạn.")


def test_a_credential_that_is_not_there_cannot_be_chosen() -> None:
    with pytest.raises(Refused, match="HB-IDN-025"):
        certificates.choose([candidate("a")], "b")


def test_only_managers_accounts_and_school_certificates_go_to_the_oversight() -> None:
    teacher = register(person())
    manager = register(person(position="Phó hiệu trưởng"))
    school = register(person(), "school")
    assert teacher is not None
    assert teacher.facts == ()
    for change, kind in ((manager, "manager"), (school, "school")):
        assert change is not None
        [fact] = change.facts
        assert isinstance(fact, CertificateRequestedV1)
        assert fact.kind == kind


def test_one_registration_waits_at_a_time() -> None:
    with pytest.raises(Refused, match="HB-IDN-028"):
        register(person(), waiting=made(person()), chosen=candidate("c2"))


def test_the_same_certificate_again_is_no_new_request() -> None:
    assert register(person(), waiting=made(person())) is None
    assert register(person(), approved=made(person())) is None


def test_replacing_a_school_certificate_needs_a_reason() -> None:
    with pytest.raises(Refused, match="HB-IDN-029"):
        register(person(), "school", approved=made(person(), "school"), chosen=candidate("c2"))
    again = made(person(), "school", approved=made(person(), "school"), chosen=candidate("c2"), reason="Đổi nhà cung cấp")
    assert again["reason"] == "Đổi nhà cung cấp"


def test_an_approval_ends_the_one_before() -> None:
    old = {**made(person()), "state": certificates.APPROVED, "sequence": 2}
    new = made(person(), approved=old, chosen=candidate("c2"))
    replaced, approved = certificates.approve(new, person(issuer=True), old, decider="3", at=AT)
    [ended], [told] = replaced.facts, approved.facts
    assert isinstance(ended, CertificateEndedV1)
    assert "slot" not in replaced.document
    assert isinstance(told, CertificateApprovedV1)
    assert (told.credential_id, told.may_issue) == ("c2", True)
    assert (approved.document["decided_by"], approved.document["slot"]) == ("3", "person:6:2025-2026:APPROVED")


def test_a_certificate_that_replaces_itself_does_not_end() -> None:
    old = {**made(person()), "provider": "another", "state": certificates.APPROVED}
    replaced, _ = certificates.approve(made(person(), approved=old), person(), old, decider="3", at=AT)
    assert replaced.facts == ()


@pytest.mark.parametrize(
    ("document", "decider", "code"),
    [
        ("teacher", "6", "HB-IDN-031"),
        ("manager", "3", "HB-IDN-033"),
        ("approved", "3", "HB-IDN-032"),
        ("nothing", "3", "HB-IDN-032"),
    ],
)
def test_who_may_not_decide_is_told_why(document: str, decider: str, code: str) -> None:
    documents = {
        "teacher": made(person()),
        "manager": made(person(position="Hiệu trưởng")),
        "approved": {**made(person()), "state": certificates.APPROVED},
        "nothing": None,
    }
    with pytest.raises(Refused, match=code):
        certificates.check_decider(documents[document], "6", decider)


def test_refusing_needs_a_reason() -> None:
    with pytest.raises(Refused, match="HB-IDN-029"):
        certificates.refuse(made(person()), "", decider="3", at=AT)
    refused = certificates.refuse(made(person()), "Nhầm", decider="3", at=AT)
    assert (refused.document["state"], refused.document["refusal"], refused.facts) == ("REFUSED", "Nhầm", ())


def test_without_a_personal_id_or_a_year_nothing_can_be_registered() -> None:
    with pytest.raises(Refused, match="HB-IDN-021"):
        register(person(personal_id=""))
    with pytest.raises(Refused, match="HB-IDN-020"):
        _ = Wanted("person", {**SCHOOL, "year": None}, person()).year


def test_what_is_no_certificate_is_no_candidate() -> None:
    assert certificates.judge(Wanted("person", SCHOOL, person()), "c1", b"rubbish", [], [], at=AT) is None
