"""Policies are data: what the file may say, and that nothing else starts the service."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.signing.policies import POLICIES, plan, policy_for, read
from services.signing.tasks import at_step, may_sign_in, new_task
from tests.unit.signing.test_policies_and_tasks import MUSIC, SPORT, created, required
from tests.unit.signing.test_policies_and_tasks import sign as sign_8a

SUBJECTS = '{ name = "subjects", who = "subject_teachers", order = "parallel", formats = ["xml"], signature_level = "B-B" }'
HOMEROOM = '{ name = "homeroom", who = "homeroom_teacher", order = "serial", formats = ["xml", "pdf"], signature_level = "B-B" }'
LEADER = '{ name = "leader", who = "leader", order = "serial", formats = ["xml", "pdf"], signature_level = "B-B" }'
ISSUE = '{ name = "issue", who = "school", order = "serial", formats = ["xml", "pdf"], signature_level = "B-LTA" }'
STEPS = (SUBJECTS, HOMEROOM, LEADER, ISSUE)


def policy(*steps: str, year: str = "2025-2026", types: str = "", level: str = "THCS") -> str:
    return (
        f'[[policy]]\nkind = "transcript"\nlevel = "{level}"\nschool_types = [{types}]\nfrom_year = "{year}"\n'
        f"homeroom_signs_own_subjects_once = false\nsteps = [{', '.join(steps or STEPS)}]\n"
    )


def test_every_level_and_kind_of_the_guides_has_its_policy() -> None:
    steps = {(p.kind, p.level): [s.name for s in p.steps] for p in POLICIES}
    every = ["subjects", "homeroom", "leader", "issue"]
    assert steps == {
        ("transcript", "TH"): every,
        ("transcript", "THCS"): every,
        ("transcript", "THPT"): every,
        ("class_summary", "TH"): every[1:],
    }


def test_what_a_step_signs_and_how_is_said_in_the_data() -> None:
    found = {s.name: (s.who, s.order, s.formats, s.signature_level) for s in policy_for("THCS", "2025-2026").steps}
    assert found == {
        "subjects": ("subject_teachers", "parallel", ("xml",), "B-B"),
        "homeroom": ("homeroom_teacher", "serial", ("xml", "pdf"), "B-B"),
        "leader": ("leader", "serial", ("xml", "pdf"), "B-B"),
        "issue": ("school", "serial", ("xml", "pdf"), "B-LTA"),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (policy(HOMEROOM, SUBJECTS, LEADER, ISSUE), "in this order"),
        (policy(SUBJECTS, HOMEROOM, LEADER), "in this order"),
        (policy(SUBJECTS.replace('["xml"]', '["xml", "pdf"]'), HOMEROOM, LEADER, ISSUE), "signs xml"),
        (policy(SUBJECTS, HOMEROOM, LEADER, ISSUE.replace("B-LTA", "B-B")), "archive level"),
        (policy(SUBJECTS, HOMEROOM.replace("homeroom_teacher", "leader"), LEADER, ISSUE), "is signed by"),
        (policy(SUBJECTS, HOMEROOM.replace("serial", "parallel"), LEADER, ISSUE), "one signer"),
        (policy(year="2025-2027"), "no school year"),
        (policy(level="MN"), "level"),
        (policy() + policy(), "two policies"),
        (policy().replace("school_types", "school_kinds"), "school_kinds"),
        ("policy = []", "at least 1"),
    ],
)
def test_a_policy_that_cannot_be_carried_out_is_refused_with_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        read(text)


def test_the_newest_policy_holds_and_one_for_the_schools_type_goes_first() -> None:
    policies = read(policy(year="2020-2021") + policy(year="2024-2025") + policy(year="2022-2023", types='"continuing"'))

    def chosen(year: str, school_type: str = "") -> tuple[str, tuple[str, ...]]:
        found = policy_for("THCS", year, school_type=school_type, policies=policies)
        return found.from_year, found.school_types

    assert chosen("2023-2024") == ("2020-2021", ())
    assert chosen("2025-2026") == ("2024-2025", ())
    assert chosen("2025-2026", "continuing") == ("2022-2023", ("continuing",))
    assert chosen("2021-2022", "continuing") == ("2020-2021", ())


def test_in_a_serial_step_the_teachers_sign_one_after_the_other() -> None:
    [serial] = read(policy(SUBJECTS.replace("parallel", "serial"), HOMEROOM, LEADER, ISSUE))
    planned = plan(serial, required())
    assert [s.order for s in planned] == ["serial"] * 4
    task = new_task(created("THCS"))
    steps = [{**s, "order": "serial"} for s in task["steps"]]
    task = at_step({**task, "steps": steps}, "subjects")
    assert task["waiting"] == [MUSIC]
    task = sign_8a(task, MUSIC, "subjects")
    assert task["waiting"] == [SPORT]
    assert may_sign_in(task, "subjects") == [SPORT]
