"""What the sandbox sector database holds: rows by list, and the log of their changes. All of it lives as long as the process."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

LISTS = ("school", "staff", "classes", "assignments", "pupils", "results")
Cell = str | int | float | bool | None
Year = Annotated[str, Field(pattern=r"^20\d\d-20\d\d$")]
Code = Annotated[str, Field(min_length=1, max_length=50)]


class RowIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=200)
    data: dict[str, Cell]


class Loaded(BaseModel):
    """All rows of one school and year; what was there is replaced."""

    model_config = ConfigDict(extra="forbid")

    school: Code
    year: Year
    lists: dict[str, list[RowIn]]


class ChangeIn(BaseModel):
    """A row that is new or other now, or with `deleted` gone."""

    model_config = ConfigDict(extra="forbid")

    list: str
    id: str
    deleted: bool = False
    data: dict[str, Cell] | None = None


class Changes(BaseModel):
    model_config = ConfigDict(extra="forbid")

    school: Code
    year: Year
    changes: list[ChangeIn] = Field(min_length=1)


@dataclass
class SchoolYear:
    """`log`: (list, id) of every change in order; `forgotten`: how many of its first entries are kept no longer."""

    lists: dict[str, dict[str, dict[str, Cell]]] = field(default_factory=lambda: {name: {} for name in LISTS})
    log: list[tuple[str, str]] = field(default_factory=list)
    forgotten: int = 0

    def put(self, change: ChangeIn) -> None:
        if change.deleted or change.data is None:
            self.lists[change.list].pop(change.id, None)
        else:
            self.lists[change.list][change.id] = change.data
        self.log.append((change.list, change.id))

    def rows(self, name: str, start: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
        """A page of a list and where the next one starts."""
        every = list(self.lists[name].items())
        page = [{"id": key, "data": data} for key, data in every[start : start + limit]]
        return page, start + limit if start + limit < len(every) else None

    def changes(self, start: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
        """A page of the log from its entry `start` on; each row as it is now."""
        page: list[dict[str, Any]] = []
        for name, key in self.log[start : start + limit]:
            data = self.lists[name].get(key)
            page.append({"list": name, "id": key, "deleted": data is None, "data": data})
        return page, start + limit if start + limit < len(self.log) else None
