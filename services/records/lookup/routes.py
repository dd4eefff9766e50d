"""JSON under /api/records: looking a transcript up within the school."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.chassis.access import Who
from services.chassis.errors import Refused
from services.records.at_hand import own_school, store_of
from services.records.export.errors import UNKNOWN_PERSONAL_ID
from services.records.lookup import store
from services.records.lookup.looking_up import classes_by_year, looked_up

router = APIRouter(prefix="/api/records")


class Filter(BaseModel):
    """`class` and `id` as in the address; `state` is a state, or AWAITING for all that wait for a signature; `pupil` a pupil's code."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    year: str = Field(default="", pattern=r"^(20\d\d-20\d\d)?$")
    grade: str = Field(default="", max_length=2)
    class_code: str = Field(default="", alias="class", max_length=40)
    name: str = Field(default="", max_length=120)
    pupil: str = Field(default="", max_length=40)
    uuid: str = Field(default="", alias="id", max_length=40)
    state: str = Field(default="", max_length=40)


class PersonalId(BaseModel):
    model_config = ConfigDict(extra="forbid")

    personal_id: str = Field(pattern=r"^\d{12}$")


@router.get("/lookup")
async def lookup(request: Request, who: Who, asked: Annotated[Filter, Query()]) -> dict[str, Any]:
    """All versions, cancelled ones too, of the classes that the person may see."""
    return {"transcripts": await looked_up(store_of(request), who, own_school(who), asked.model_dump(by_alias=True))}


@router.post("/lookup/personal-id")
async def by_personal_id(request: Request, who: Who, asked: PersonalId) -> dict[str, str]:
    """The pupil's code for a personal id, which never stands in an address."""
    return {"pupil": await pupil_of(request, who, asked.personal_id)}


async def pupil_of(request: Request, who: Who, personal_id: str) -> str:
    """Raises Refused(UNKNOWN_PERSONAL_ID)."""
    records, school = store_of(request), own_school(who)
    visible = await classes_by_year(records, who, school)
    code = await store.pupil_of_personal_id(records.db, school, visible, personal_id)
    if code is None:
        raise Refused(UNKNOWN_PERSONAL_ID)
    return code
