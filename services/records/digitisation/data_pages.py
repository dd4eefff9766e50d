"""The page on which the data of one paper transcript are typed: a form by the rule set of its grade and year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action, Principal
from contracts.menu import DIGITISATION
from services.chassis.access import Who, require
from services.chassis.errors import Refused
from services.chassis.vietnamese import given_name_key
from services.chassis.web.lists import done
from services.chassis.web.look import render
from services.records.at_hand import own_school, store_of
from services.records.digitisation import desk, form, routes
from services.records.digitisation.desk import Data, Teacher
from services.records.digitisation.errors import WRONG_VALUES
from services.records.digitisation.one_page import UNCHECKED
from services.records.digitisation.routes import OneYear, Pupil
from services.records.page_parts import framed, newest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.records.corrections.fields import Field
    from services.records.digitisation.cases import Case, Digitised

router = APIRouter(prefix="/ui/records", include_in_schema=False)
HOMEROOM_TEACHER = "GVCN"
MOST_FIELDS = 600


@router.get("/digitisation/{year}/{pupil}/data")
async def show(request: Request, who: Who, year: OneYear, pupil: Pupil) -> Response:
    require(who, Action.DIGITISE, school=own_school(who))
    shared, case = await routes.seen_case(request, who, year, pupil)
    return await _page(request, who, case, shared, form.values_of(case.result), _teachers_of(case), {})


@router.post("/digitisation/{year}/{pupil}/data")
async def take(request: Request, who: Who, year: OneYear, pupil: Pupil) -> Response:
    require(who, Action.DIGITISE, school=own_school(who))
    shared, case = await routes.seen_case(request, who, year, pupil)
    sent = await request.form(max_fields=MOST_FIELDS)
    text = {name: value for name, value in sent.items() if isinstance(value, str)}
    values = {name: text.get(f"v:{name}", "") for name in form.fields(case.school_class.grade, year)}
    subjects = [s.name for s in form.blank(case.school_class.grade, year).subjects]
    teachers = {s: (text.get(f"t:{s}", "")[:40], text.get(f"n:{s}", "")[:200]) for s in (*subjects, HOMEROOM_TEACHER)}
    data = Data(
        values=values,
        teachers=tuple(Teacher(subject=s, staff=teachers[s][0], name=teachers[s][1]) for s in subjects),
        homeroom=Teacher(subject="", staff=teachers[HOMEROOM_TEACHER][0], name=teachers[HOMEROOM_TEACHER][1]),
    )
    try:
        await desk.type_data(store_of(request), case, data, actor=who.person)
    except Refused as refused:
        if refused.refusal is not WRONG_VALUES:
            raise
        wrong = form.read(values, pupil, case.school_class.grade, year).wrong
        return await _page(request, who, case, shared, values, teachers, wrong, refused.refusal.status)
    return done(f"{DIGITISATION}/{year}/{pupil}", "digitisation-data", 1)


def _teachers_of(case: Case) -> dict[str, tuple[str, str]]:
    found = {t["subject"]: (t["staff"], t["name"]) for t in case.item["teachers"] or ()}
    homeroom = case.item["homeroom"]
    return {**found, HOMEROOM_TEACHER: (homeroom["staff"], homeroom["name"])} if homeroom else found


async def _page(  # noqa: PLR0917 - the form with what was filled in and what was wrong
    request: Request,
    who: Principal,
    case: Case,
    shared: Digitised,
    values: Mapping[str, str],
    teachers: Mapping[str, tuple[str, str]],
    wrong: Mapping[str, str],
    status: int = 200,
) -> Response:
    item = case.item
    here = f"{DIGITISATION}/{item['year']}/{item['pupil_code']}"
    fields = form.fields(case.school_class.grade, item["year"])
    ids = {name: f"f-{number}" for number, name in enumerate(fields)}
    asks_teachers = item["teachers"] is not None
    people = sorted(shared.now.values(), key=lambda s: given_name_key(s.name))
    groups: dict[str, list[dict[str, Any]]] = {}
    for name, field in fields.items():
        groups.setdefault(field.subject, []).append(_field(name, field, ids[name], values.get(name, "")))
    context = {
        "shell": await framed(request, who, await newest(request, who)),
        "title": f"Nhập dữ liệu học bạ giấy: {case.pupil['name']}",
        "crumb": f"Năm học {item['year']} · lớp {case.school_class.name}",
        "back_href": here,
        "action": f"{here}/data",
        "scan_href": f"/api/records/digitisation/{item['year']}/{item['pupil_code']}/scan.pdf" if item["scan"] else "",
        "unchecked": "" if case.circular else UNCHECKED,
        "circular": case.circular,
        "subjects": [
            {"name": subject, "id": f"s-{number}", "fields": group, "teacher": teachers.get(subject, ("", ""))}
            for number, (subject, group) in enumerate((s, g) for s, g in groups.items() if s)
        ],
        "others": groups.get("", []),
        "asks_teachers": asks_teachers,
        "asks_staff": asks_teachers and not case.who.brought,
        "homeroom": teachers.get(HOMEROOM_TEACHER, ("", "")),
        "staff": [("", "Đã nghỉ, chuyển công tác"), *((s.code, s.name) for s in people)],
        "errors": {ids.get(name, "_form"): text for name, text in wrong.items()},
    }
    return render(request.app.state.pages, request, "records/digitised_data.html", context, status_code=status)


def _field(name: str, field: Field, field_id: str, value: str) -> dict[str, Any]:
    label = name.partition(": ")[2] if field.subject else name
    kind = "tick" if name in form.TICKS else "long" if label in form.LONG else "text"
    return {"id": field_id, "name": f"v:{name}", "label": label, "value": value, "kind": kind}
