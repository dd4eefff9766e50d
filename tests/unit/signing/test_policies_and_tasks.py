"""Who signs in which step, and how a transcript's task moves on."""

from __future__ import annotations

import datetime as dt

import pytest

from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.records import Signer, TranscriptCreatedV1
from contracts.events.signing import SignatureFact
from services.signing.policies import plan, policy_for
from services.signing.steps import STEPS
from services.signing.steps.kind import values_before
from services.signing.tasks import ASSEMBLING, DONE, at_step, new_task, signed, waiting_in

NOW = dt.datetime(2026, 5, 28, 8, 0, tzinfo=dt.UTC)
HOMEROOM, LEADER, MUSIC, SPORT = "31300001006", "31300001001", "31300001020", "31300001021"


def required(*, homeroom_teaches: bool = True) -> tuple[Signer, ...]:
    teachers = [
        Signer(role="subject_teacher", person=MUSIC, name="Hồ Xuân Trung", subjects=("Âm nhạc",)),
        Signer(role="subject_teacher", person=SPORT, name="Hoàng Thị Oanh", subjects=("Giáo dục thể chất",)),
    ]
    if homeroom_teaches:
        teachers.append(Signer(role="subject_teacher", person=HOMEROOM, name="Đinh Bảo Yến", subjects=("Toán", "Tiếng Việt")))
    homeroom = Signer(role="homeroom", person=HOMEROOM, name="Đinh Bảo Yến")
    return (*teachers, homeroom, Signer(role="leader", person=LEADER, name="Ngô Diệu Tâm"))


def created(level: str = "TH", signers: tuple[Signer, ...] | None = None) -> Event[TranscriptCreatedV1]:
    fact = TranscriptCreatedV1(
        school="31300001",
        year="2025-2026",
        level=level,
        class_code="1A",
        grade=1,
        version=1,
        pupil_code="312500100001",
        pupil_name="Nguyễn Văn An",
        content=DocumentRef(bucket="records", key="k.xml", sha256="0" * 64, size=1),
        required=required() if signers is None else signers,
    )
    return Event[TranscriptCreatedV1](type="TranscriptCreatedV1", subject="t-1", sequence=1, occurred_at=NOW, actor="a", data=fact)


def fact_of(person: str, role: str) -> SignatureFact:
    return SignatureFact(
        role=role, person=person, name="N", signed_at=NOW, certificate_serial="01", certificate_subject="N", scheme="rsa-pkcs1"
    )


def test_in_primary_the_homeroom_teachers_one_signature_covers_their_own_subjects() -> None:
    steps = {s.name: s.signers for s in plan(policy_for("TH", "2025-2026"), required())}
    assert [s.person for s in steps["subjects"]] == [MUSIC, SPORT]
    assert steps["homeroom"][0].subjects == ("Toán", "Tiếng Việt")


@pytest.mark.parametrize("level", ["THCS", "THPT"])
def test_in_secondary_a_homeroom_teacher_who_teaches_signs_as_subject_teacher_first(level: str) -> None:
    steps = {s.name: s.signers for s in plan(policy_for(level, "2025-2026"), required())}
    assert [s.person for s in steps["subjects"]] == [MUSIC, SPORT, HOMEROOM]
    assert steps["homeroom"][0].subjects == ()


def test_a_level_or_year_without_a_policy_is_an_error_and_not_a_guess() -> None:
    with pytest.raises(LookupError):
        policy_for("MN", "2025-2026")
    with pytest.raises(LookupError):
        policy_for("TH", "2019-2020")


def test_subject_teachers_sign_in_any_order_and_only_the_last_one_moves_the_task_on() -> None:
    for order in ([MUSIC, SPORT], [SPORT, MUSIC]):
        task = new_task(created())
        assert sorted(task["waiting"]) == [MUSIC, SPORT]
        task = signed(task, order[0], "subjects", fact_of(order[0], "subjects"), f"GVBM-{order[0]}")
        assert task["step"] == "subjects"
        assert task["waiting"] == [order[1]]
        task = signed(task, order[1], "subjects", fact_of(order[1], "subjects"), f"GVBM-{order[1]}")
        assert task["step"] == ASSEMBLING
        assert task["waiting"] == []


def test_a_class_whose_homeroom_teacher_teaches_everything_needs_no_subject_step() -> None:
    signers = tuple(s for s in required() if s.role != "subject_teacher" or s.person == HOMEROOM)
    assert new_task(created(signers=signers))["step"] == ASSEMBLING


def test_after_homeroom_comes_the_leader_then_the_school_then_nothing() -> None:
    task = at_step(new_task(created()), "homeroom")
    assert task["waiting"] == [HOMEROOM]
    task = signed(task, HOMEROOM, "homeroom", fact_of(HOMEROOM, "homeroom"), "GVCN")
    assert (task["step"], task["waiting"]) == ("leader", [LEADER])
    task = signed(task, LEADER, "leader", fact_of(LEADER, "leader"), "CBQL")
    assert (task["step"], task["waiting"]) == ("issue", [])
    task = signed(task, "31300001004", "issue", fact_of("31300001004", "issue"), "KY_PHAT_HANH")
    assert task["step"] == DONE
    assert [s["id"] for s in task["signatures"]] == ["GVCN", "CBQL", "KY_PHAT_HANH"]


def test_signing_ends_the_persons_claim_and_nobody_elses() -> None:
    task = {**new_task(created()), "claims": {MUSIC: "batch-1", SPORT: "batch-2"}}
    after = signed(task, MUSIC, "subjects", fact_of(MUSIC, "subjects"), f"GVBM-{MUSIC}")
    assert after["claims"] == {SPORT: "batch-2"}
    assert waiting_in(after, "subjects") == [SPORT]


def test_each_step_covers_what_was_signed_before_and_the_school_covers_everything() -> None:
    before = ["GVBM-1", "GVBM-2", "GVCN"]
    assert list(STEPS["subjects"].covers(before)) == ["nd"]
    assert list(STEPS["leader"].covers(before)) == values_before(before) == ["nd", "GVBM-1-sv", "GVBM-2-sv", "GVCN-sv"]
    assert list(STEPS["issue"].covers(before)) == [""]
    assert {name: step.pdf_field for name, step in STEPS.items()} == {
        "subjects": None,
        "homeroom": "GVCN",
        "leader": "CBQL",
        "issue": "KY_PHAT_HANH",
    }
