"""A primary school whose transcripts are all sealed, and a second school to which a pupil may go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, expect

from infra.demo.people import Person
from infra.demo.road import Road
from infra.demo.school import read
from tests.conftest import make_school
from tests.journeys.windows import go, reloaded_until, seen, window_of

SYSTEM, TRANSCRIPTS, SUMMARIES = "1. Hệ thống", "2. Học bạ điện tử", "3. Bảng tổng hợp kết quả đánh giá giáo dục"


@dataclass
class Schools:
    """`road`: the school with everything signed; `other`: one whose year is imported; `clerk`: of the first."""

    road: Road
    other: Road
    browser: Browser
    clerk: Person

    @property
    def base(self) -> str:
        return self.road.base

    def homeroom(self, code: str) -> Person:
        return self.road.staff[next(c.homeroom for c in self.road.export.classes if c.code == code)]

    def leader(self, code: str) -> Person:
        return self.road.staff[next(c.leader for c in self.road.export.classes if c.code == code)]

    @property
    def principal(self) -> Person:
        return self.road.staff[next(s.code for s in self.road.export.staff if s.position == "Hiệu trưởng")]

    @property
    def issuer(self) -> Person:
        return self.road.staff[self.road.export.issuer.code]

    async def transcripts(self, code: str = "") -> list[dict[str, Any]]:
        """As the administrator is told, of one class or all."""
        found = (await self.road.admin.get("/api/records/transcripts"))["transcripts"]
        return [t for t in found if code in ("", t["class"])]


async def account_of(road: Road, code: str) -> Person:
    """Somebody who signs nothing: the administrator hands out the one-time password, and it is changed."""
    [given] = await road.admin.post(f"/api/identity/schools/{road.export.school.code}/credentials", {"persons": [code]})
    person = Person.make(
        road.base,
        road.trust,
        username=given["username"],
        name=given["name"],
        version=road.export.school.level,
        one_time_password=given["one_time_password"],
    )
    await person.first_sign_in()
    return person


async def schools_of(info: dict[str, Any], folder: Path, browser: Browser, *, number: int, pupils: int) -> Schools:
    """`number`: of the first school; the second has the next. Each has an oversight unit of its own. `pupils`: of each class.

    Raises Refusal, or TimeoutError when something stands still.
    """
    first = make_school(folder / "first", code=f"313000{number}", province=f"0{number}", pupils=pupils, defects=0)
    second = make_school(folder / "second", code=f"313000{number + 1}", province=f"0{number + 1}", pupils=1, defects=0, seed=2)
    other = Road(info, read(second), lambda _: None)
    for stage in (other.organisations, other.import_year):
        await stage()
    road = Road(info, read(first), lambda _: None)
    for stage in (road.organisations, road.import_year, road.accounts, road.certificates, road.create):
        await stage()
    for step in ("subjects", "homeroom", "leader", "issue"):
        await road.sign(step)
    clerk = next(s.code for s in road.export.staff if s.position == "Nhân viên học vụ")
    return Schools(road, other, browser, await account_of(road, clerk))


async def sign_here(page: Page, schools: Schools, user: str, button: str, *, picture: str = "") -> None:
    """On a queue of signing: everything is ticked and signed with one authorisation."""
    for box in await page.locator("td.look-tick input").all():
        await box.check()
    if picture:
        await seen(page, f"{picture}-queue", narrow=True)
    number = await page.locator("td.look-tick input").count()
    await page.get_by_role("button", name=button).click()
    await page.get_by_label("Tên đăng nhập").fill(user)
    await page.get_by_label("Mật khẩu").fill(schools.road.provider_passwords[user])
    await page.get_by_label("Mật khẩu").press("Enter")
    await expect(page.get_by_role("row").filter(has_text="Đã ký")).to_have_count(number)
    if picture:
        await seen(page, f"{picture}-signed", narrow=True)


async def sign_all(  # noqa: PLR0917 - who signs what, and where
    schools: Schools, person: Person, group: str, entry: str, button: str, user: str, *, waits_for: str, picture: str = ""
) -> None:
    """Somebody opens the queue of a step and signs all that waits there; `waits_for`: a row that has to have arrived."""
    async with window_of(schools.browser, schools.base, person) as page:
        await go(page, group, entry)
        await reloaded_until(page, page.get_by_role("row").filter(has_text=waits_for))
        await sign_here(page, schools, user, button, picture=picture)
