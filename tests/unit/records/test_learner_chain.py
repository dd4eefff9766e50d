"""The learner record: years in their order, versions, and whether each names the year before as it is held."""

from __future__ import annotations

from typing import Any

from services.records.learners.chain import Held, Year, link_of, timeline

A, B = "31300001", "31300002"


def transcript(number: str, year: str, *, school: str = A, previous: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "_id": number,
        "school": school,
        "year": year,
        "class_code": "5A",
        "version": 1,
        "replaces": None,
        "live": True,
        "state": "ACCEPTED",
        "pdf": {"sha256": f"pdf-{number}"},
        "xml": {"sha256": f"xml-{number}"},
        "content": {"previous": previous, "school": {"name": f"Trường {school}"}, "school_class": {"name": "5A"}},
        **changes,
    }


def named(number: str, year: str, **changes: str) -> dict[str, str]:
    """How a transcript names the one of the year before."""
    return {"transcript": number, "year": year, "pdf_sha256": f"pdf-{number}", "xml_sha256": f"xml-{number}", **changes}


def pupil(year: str, class_code: str = "5A") -> dict[str, Any]:
    return {"year": year, "class_code": class_code, "data": {"status": "Đang học"}}


def received(number: str, year: str, *, previous: dict[str, str] | None = None) -> dict[str, Any]:
    document = {"id": number, "year": year, "version": 1, "school": B, "school_name": "Trường B", "class_name": "3B", "previous": previous}
    return {"_id": f"r-{number}", "document": document, "pdf": {"sha256": f"pdf-{number}"}, "xml": {"sha256": f"xml-{number}"}}


def years(pupils: list[dict[str, Any]], transcripts: list[dict[str, Any]], arrived: list[dict[str, Any]] | None = None) -> list[Year]:
    return timeline(Held(A, "Trường A", pupils, transcripts, arrived or []))


def test_a_document_that_is_held_as_it_was_named_matches() -> None:
    known = {"t1": {"live": True, "pdf": "pdf-t1", "xml": "xml-t1"}}
    assert link_of(named("t1", "2024-2025"), known) == "MATCH"
    assert link_of(named("t1", "2024-2025", pdf_sha256="other"), known) == "MISMATCH"
    assert link_of(named("t1", "2024-2025", xml_sha256="other"), known) == "MISMATCH"


def test_a_document_that_was_replaced_or_is_not_here_is_said_to_be_so() -> None:
    assert link_of(named("t1", "2024-2025"), {"t1": {"live": False, "pdf": "pdf-t1", "xml": "xml-t1"}}) == "REPLACED"
    assert link_of(named("t1", "2024-2025"), {}) == "ABSENT"
    assert link_of(None, {}) == "NONE"


def test_years_stand_newest_first_with_their_links() -> None:
    found = years(
        [pupil("2024-2025", "4A"), pupil("2025-2026")],
        [transcript("t1", "2024-2025"), transcript("t2", "2025-2026", previous=named("t1", "2024-2025"))],
    )
    assert [(y.year, y.class_name) for y in found] == [("2025-2026", "5A"), ("2024-2025", "4A")]
    assert [y.versions[0].link for y in found] == ["MATCH", "NONE"]
    assert found[0].versions[0].linked_to == "2024-2025"


def test_all_versions_of_a_year_stand_there_and_one_of_them_counts() -> None:
    first = transcript("t1", "2025-2026", live=False, state="CANCELLED")
    second = transcript("t2", "2025-2026", version=2, replaces="t1")
    (year,) = years([pupil("2025-2026")], [first, second])
    assert [(v.version, v.state, v.replaces) for v in year.versions] == [(1, "CANCELLED", None), (2, "ACCEPTED", "t1")]
    assert year.standing is not None
    assert year.standing.id == "t2"


def test_a_year_without_a_transcript_stands_in_the_record_too() -> None:
    (year,) = years([pupil("2025-2026")], [])
    assert year.versions == ()
    assert year.standing is None


def test_what_came_in_a_package_can_be_opened_and_is_what_the_next_year_names() -> None:
    found = years([pupil("2025-2026")], [transcript("t2", "2025-2026", previous=named("t1", "2024-2025"))], [received("t1", "2024-2025")])
    assert [y.origin for y in found] == ["own", "received"]
    assert found[1].versions[0].document == ("received", "r-t1")
    assert found[0].versions[0].link == "MATCH"


def test_of_another_school_here_only_the_facts_are_told_and_no_documents() -> None:
    elsewhere = transcript("t1", "2024-2025", school=B)
    found = years([pupil("2025-2026")], [elsewhere, transcript("t2", "2025-2026", previous=named("t1", "2024-2025"))])
    assert [(y.origin, y.school) for y in found] == [("own", A), ("elsewhere", B)]
    assert found[1].versions[0].document is None
    assert found[0].versions[0].link == "MATCH"


def test_what_was_received_is_not_told_a_second_time_as_elsewhere() -> None:
    found = years([pupil("2025-2026")], [transcript("t1", "2024-2025", school=B)], [received("t1", "2024-2025")])
    assert [y.origin for y in found] == ["own", "received"]


def test_the_years_after_a_pupil_left_are_the_next_schools_to_know() -> None:
    found = years([pupil("2024-2025")], [transcript("t1", "2024-2025"), transcript("t2", "2025-2026", school=B)])
    assert [y.year for y in found] == ["2024-2025"]


def test_a_document_not_yet_sealed_offers_no_files() -> None:
    (year,) = years([pupil("2025-2026")], [transcript("t1", "2025-2026", state="AWAITING_HOMEROOM", pdf=None)])
    assert not year.versions[0].sealed
