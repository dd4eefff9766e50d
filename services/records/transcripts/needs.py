"""What keeps transcripts from being created: of a pupil as the import found it, of a class as it is now.

The import stores with each pupil all that was missing then. What concerns the class alone (finalisation, print configuration) changes
here too, so that part is judged anew. Plain data in, plain data out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.records.rules.completeness import FORM_FIELDS, GUARDIAN, IDENTITY_FIELDS, class_missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from services.records.schoolyear import School, SchoolClass, Staff

CLASS_FIELDS = frozenset({"Hoàn thành tổng kết", "Địa danh in học bạ", "Giáo viên chủ nhiệm", "Lãnh đạo ký"})
"""What `class_missing` is about: the same for all pupils of a class."""
PROFILE_FIELDS = frozenset({*IDENTITY_FIELDS.values(), *FORM_FIELDS.values(), GUARDIAN, "Trạng thái"})


def of_class(school_class: SchoolClass, staff: Mapping[str, Staff], school: School) -> list[dict[str, Any]]:
    """With class and school as the print configuration has them."""
    return [{"field": m.field, "kind": m.kind, "message": m.message_vi} for m in class_missing(school_class, staff, school)]


def of_pupil(stored: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the import found missing of the pupil's own data."""
    return [dict(m) for m in stored if m["field"] not in CLASS_FIELDS]


def of_results(stored: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The part of it that concerns results and assignments."""
    return [m for m in of_pupil(stored) if m["field"] not in PROFILE_FIELDS]
