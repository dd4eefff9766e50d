"""Who signs in which step, and how a transcript's task moves on."""

from __future__ import annotations

import datetime as dt
from itertools import permutations

import pytest

from contracts.documents import DocumentRef
from contracts.event import Event
from contracts.events.records import Signer, TranscriptCreatedV1
from contracts.events.signing import SignatureFact, SubjectsSignedV1
from services.signing import xml
from services.signing.assembling import _assembled, _order
from services.signing.policies import plan, policy_for
from services.signing.steps import STEPS
from services.signing.steps.kind import values_before
from services.signing.tasks import ASSEMBLING, SEALING, Task, at_step, new_task, signed, signers_of, waiting_in
from tests.unit.signing import chain, pki

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


def test_after_homeroom_comes_the_leader_then_the_school_and_then_nobody() -> None:
    task = at_step(new_task(created()), "homeroom")
    assert task["waiting"] == [HOMEROOM]
    task = signed(task, HOMEROOM, "homeroom", fact_of(HOMEROOM, "homeroom"), "GVCN")
    assert (task["step"], task["waiting"]) == ("leader", [LEADER])
    task = signed(task, LEADER, "leader", fact_of(LEADER, "leader"), "CBQL")
    assert (task["step"], task["waiting"]) == ("issue", [])
    task = signed(task, "31300001004", "issue", fact_of("31300001004", "issue"), "KY_PHAT_HANH")
    assert (task["step"], task["waiting"]) == (SEALING, [])
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


# Lower secondary: a class with two teachers of one subject, a change of teacher, and a homeroom teacher who teaches.
LITERATURE_1, LITERATURE_2, PHYSICS, BIOLOGY = "31300101026", "31300101010", "31300101018", "31300101020"
HOMEROOM_8A, LEADER_8A = LITERATURE_2, "31300101001"
SUBJECT_TEACHERS = (LITERATURE_1, LITERATURE_2, PHYSICS, BIOLOGY)


def class_8a() -> tuple[Signer, ...]:
    def teacher(person: str, *subjects: str) -> Signer:
        return Signer(role="subject_teacher", person=person, name="N", subjects=subjects)

    return (
        teacher(LITERATURE_1, "Ngữ văn"),  # semester I
        teacher(LITERATURE_2, "Ngữ văn", "Giáo dục công dân"),  # semester II; also the homeroom teacher
        teacher(PHYSICS, "Khoa học tự nhiên", "Công nghệ"),
        teacher(BIOLOGY, "Khoa học tự nhiên"),
        Signer(role="homeroom", person=HOMEROOM_8A, name="N"),
        Signer(role="leader", person=LEADER_8A, name="N"),
    )


def new_8a() -> Task:
    return new_task(created("THCS", class_8a()))


def sign(task: Task, person: str, step: str) -> Task:
    return signed(task, person, step, fact_of(person, step), STEPS[step].signature_id(person))


def signed_by_all_teachers(order: tuple[str, ...] = SUBJECT_TEACHERS) -> Task:
    task = new_8a()
    for person in order:
        task = sign(task, person, "subjects")
    return task


def test_all_subject_teachers_of_a_class_may_sign_at_once() -> None:
    assert new_8a()["waiting"] == list(SUBJECT_TEACHERS)


def test_several_teachers_of_one_subject_all_sign() -> None:
    task = sign(new_8a(), PHYSICS, "subjects")
    assert BIOLOGY in task["waiting"]


def test_after_a_change_of_teacher_both_sign() -> None:
    assert {LITERATURE_1, LITERATURE_2} <= set(new_8a()["waiting"])


def test_a_teacher_of_several_subjects_signs_once_for_all_of_them() -> None:
    assert new_8a()["waiting"].count(PHYSICS) == 1
    [own] = [signer for signer in signers_of(new_8a(), "subjects") if signer["person"] == PHYSICS]
    assert STEPS["subjects"].role(own["subjects"]) == "Giáo viên bộ môn: Khoa học tự nhiên, Công nghệ"
    assert PHYSICS not in sign(new_8a(), PHYSICS, "subjects")["waiting"]


def test_a_homeroom_teacher_who_teaches_signs_as_subject_teacher_and_then_as_homeroom_teacher() -> None:
    task = at_step(signed_by_all_teachers(), "homeroom")
    assert task["waiting"] == [HOMEROOM_8A]
    task = sign(task, HOMEROOM_8A, "homeroom")
    assert [s["id"] for s in task["signatures"] if s["person"] == HOMEROOM_8A] == [f"GVBM-{HOMEROOM_8A}", "GVCN"]
    assert task["signed_by"][-1] == f"homeroom:{HOMEROOM_8A}"
    assert STEPS["homeroom"].role([]) == "Giáo viên chủ nhiệm"


def test_signing_as_subject_teacher_is_not_signing_as_homeroom_teacher() -> None:
    task = sign(new_8a(), HOMEROOM_8A, "subjects")
    assert waiting_in(task, "subjects") == [LITERATURE_1, PHYSICS, BIOLOGY]
    assert waiting_in(task, "homeroom") == [HOMEROOM_8A]


@pytest.mark.parametrize("last", SUBJECT_TEACHERS)
def test_nobody_of_a_later_step_may_sign_before_the_last_subject_teacher_has(last: str) -> None:
    others = tuple(person for person in SUBJECT_TEACHERS if person != last)
    task = signed_by_all_teachers(others)
    assert (task["step"], task["waiting"]) == ("subjects", [last])
    assert sign(task, last, "subjects")["step"] == ASSEMBLING


def test_nobody_may_sign_while_the_documents_are_put_together() -> None:
    assert signed_by_all_teachers()["waiting"] == []


def test_the_leader_waits_for_the_homeroom_teacher_and_the_school_for_the_leader() -> None:
    task = at_step(signed_by_all_teachers(), "homeroom")
    assert LEADER_8A not in task["waiting"]
    task = sign(task, HOMEROOM_8A, "homeroom")
    assert (task["step"], task["waiting"]) == ("leader", [LEADER_8A])
    assert sign(task, LEADER_8A, "leader")["step"] == "issue"


def test_who_is_assigned_to_nothing_in_the_class_is_not_asked() -> None:
    asked = {signer["person"] for step in new_8a()["steps"] for signer in step["signers"]}
    assert asked == {*SUBJECT_TEACHERS, HOMEROOM_8A, LEADER_8A}


def test_a_leader_who_also_teaches_the_class_signs_in_both_steps() -> None:
    own = Signer(role="subject_teacher", person=LEADER_8A, name="N", subjects=("Giáo dục công dân",))
    task = new_task(created("THCS", (own, *class_8a())))
    assert LEADER_8A in task["waiting"]
    assert waiting_in(task, "leader") == [LEADER_8A]


def test_whatever_the_order_of_signing_the_signatures_stand_in_the_policys_order() -> None:
    document = created().data.content
    outcomes = []
    for order in permutations(SUBJECT_TEACHERS):
        [fact] = _assembled(signed_by_all_teachers(order), document).facts
        assert isinstance(fact, SubjectsSignedV1)
        outcomes.append([signature.person for signature in fact.signatures])
    assert len(outcomes) == 24
    assert all(persons == list(SUBJECT_TEACHERS) for persons in outcomes)


@pytest.mark.parametrize("order", [("GV01", "GV02"), ("GV02", "GV01")])
def test_parallel_signing_in_any_order_gives_one_and_the_same_document(order: tuple[str, str]) -> None:
    teachers = [Signer(role="subject_teacher", person=person, name="N", subjects=("Toán",)) for person in ("GV01", "GV02")]
    task = new_task(created("THCS", (*teachers, *(s for s in class_8a() if s.role != "subject_teacher"))))
    stored: dict[str, bytes] = {}
    for person in order:
        task = sign(task, person, "subjects")
        signature_id = task["signatures"][-1]["id"]
        stored[signature_id] = chain.subject_signatures()[signature_id]

    assembled = xml.assemble(pki.transcript_xml(), [stored[signature_id] for signature_id in _order(task)])

    assert assembled == xml.assemble(pki.transcript_xml(), [chain.subject_signatures()[name] for name in (chain.MATHS, chain.LITERATURE)])
