"""Confirming anew in the middle of an act: what is asked for when, what of the form is kept, and where it may go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Form, Request, UploadFile
from fastapi.testclient import TestClient
from joserfc.jwk import OKPKey

from contracts.access import CONFIRMED, CONFIRMED_FOR, Action, Principal, Role, confirmed
from services.chassis import clock
from services.chassis.access import TokenMaker, Who, require_confirmed, require_fresh
from services.chassis.web import confirming
from services.chassis.web.app import make_app
from services.chassis.web.lists import ticked
from tests.factories.settings import settings_without_servers

SITE = "https://localhost:8443"
ADMINISTRATOR = Principal(person="31300001003", name="Ngô Công Hoàng", roles=frozenset({Role.ADMINISTRATOR}), school="31300001")
LIST = "/ui/publishing/submissions"


class Fields(HTMLParser):
    """The hidden fields of the page's form, and where it goes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hidden: list[tuple[str, str]] = []
        self.names: set[str] = set()
        self.action = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and "sign-out" not in given["action"]:
            self.action = given["action"]
        if tag == "input":
            self.names.add(given["name"])
            if given["type"] == "hidden":
                self.hidden.append((given["name"], given.get("value", "")))


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> TokenMaker:
    folder = tmp_path_factory.mktemp("keys")
    key = OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
    (folder / "private.jwk").write_text(json.dumps(key.as_dict(private=True)))
    (folder / "public.jwks").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    return TokenMaker(folder / "private.jwk")


@pytest.fixture(scope="module")
def keys(maker: TokenMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return next(tmp_path_factory.getbasetemp().glob("keys*/public.jwks"))


@pytest.fixture
def client(keys: Path) -> Iterator[TestClient]:
    app = make_app(settings_without_servers(keys, public_url=SITE), "publishing")
    _routes(app)
    with TestClient(app, base_url=SITE) as client:
        yield client


def _routes(app: FastAPI) -> None:
    @app.post(LIST)
    async def submit(request: Request, who: Who) -> list[str]:
        require_fresh(who, Action.SUBMIT, school=who.school)
        return list((await ticked(request)).ids)

    @app.post("/ui/publishing/typed")
    async def typed(who: Who, ids: Annotated[list[str], Form()], password: Annotated[str, Form()] = "") -> str:
        require_fresh(who, Action.SUBMIT, school=who.school)
        return password.join(ids)

    @app.post("/ui/publishing/files")
    async def files(who: Who, file: UploadFile, reason: Annotated[str, Form()]) -> str:
        require_fresh(who, Action.SUBMIT, school=who.school)
        return f"{file.filename}{reason}"

    @app.get(LIST)
    async def show(who: Who) -> str:
        require_fresh(who, Action.VIEW_SCHOOL, school=who.school)
        return who.person

    @app.post("/api/publishing/submissions")
    async def api(who: Who) -> str:
        require_fresh(who, Action.SUBMIT, school=who.school)
        return who.person

    @app.post("/api/publishing/own")
    async def own(who: Who) -> str:
        require_confirmed(who)
        return who.person


def token(maker: TokenMaker, ago: int | None, **more: Any) -> dict[str, str]:
    at = None if ago is None else int(clock.now().timestamp()) - ago
    return {"Authorization": f"Bearer {maker.make(ADMINISTRATOR.model_copy(update={'auth_time': at, **more}))}"}


def test_a_confirmation_is_good_for_five_minutes() -> None:
    who = ADMINISTRATOR.model_copy(update={"auth_time": 1_000_000})
    for action in CONFIRMED:
        assert confirmed(who, action, at=1_000_000 + CONFIRMED_FOR)
        assert not confirmed(who, action, at=1_000_001 + CONFIRMED_FOR)
        assert not confirmed(ADMINISTRATOR, action, at=0), "never confirmed"


def test_viewing_and_daily_work_need_no_confirmation() -> None:
    assert {Action.SUBMIT, Action.ISSUE, Action.APPROVE_SIGNING_ACCOUNT, Action.DECIDE_CERTIFICATE} <= CONFIRMED
    for action in (Action.VIEW_SCHOOL, Action.VIEW_CLASS, Action.VIEW_BRANCH, Action.SIGN, Action.CREATE, Action.IMPORT):
        assert confirmed(ADMINISTRATOR, action, at=10**10)


@pytest.mark.parametrize("ago", [None, 302, 10**6])
def test_a_program_is_told_to_confirm_by_a_code_of_its_own(client: TestClient, maker: TokenMaker, ago: int | None) -> None:
    for path in ("/api/publishing/submissions", "/api/publishing/own"):
        answer = client.post(path, headers=token(maker, ago))
        assert (answer.status_code, answer.json()["code"]) == (403, "HB-ACC-428")
        assert answer.json()["action"].startswith("Xác nhận lại danh tính")
        assert client.post(path, headers=token(maker, 290)).status_code == 200


def test_who_may_not_do_it_at_all_is_not_asked_to_confirm(client: TestClient, maker: TokenMaker) -> None:
    answer = client.post("/api/publishing/submissions", headers=token(maker, None, roles=frozenset({Role.CLERK})))
    assert answer.json()["code"] == "HB-ACC-403"


def test_looking_at_the_page_works_with_an_old_confirmation(client: TestClient, maker: TokenMaker) -> None:
    assert client.get(LIST, headers=token(maker, None)).status_code == 200


def test_a_page_keeps_every_field_and_asks_for_the_password(client: TestClient, maker: TokenMaker) -> None:
    form = {"ids": ["a", "b", "a"], "act": "submit", "filter": '?name="<Đào>"&page=2', "csrf": "of the old session"}
    answer = client.post(f"{LIST}?tab=x", data=form, headers=token(maker, 400))
    assert answer.status_code == 403
    fields = Fields(answer.text)
    assert fields.action == "/ui/identity/confirm"
    assert fields.hidden == [
        ("target", f"{LIST}?tab=x"),
        ("kept.ids", "a"),
        ("kept.ids", "b"),
        ("kept.ids", "a"),
        ("kept.act", "submit"),
        ("kept.filter", '?name="<Đào>"&page=2'),
    ]
    assert "password" in fields.names
    assert "code" not in fields.names
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_account_with_a_second_factor_is_asked_for_that(client: TestClient, maker: TokenMaker) -> None:
    answer = client.post(LIST, data={"ids": "a"}, headers=token(maker, 400, second_factor=True))
    assert {"code", "passkey"} <= Fields(answer.text).names
    assert "password" not in Fields(answer.text).names


def test_a_password_in_the_refused_form_is_not_written_into_the_page(client: TestClient, maker: TokenMaker) -> None:
    form = {"ids": ["a"], "password": "mật khẩu của nhà cung cấp"}
    answer = client.post("/ui/publishing/typed", data=form, headers=token(maker, 400))
    assert answer.status_code == 403
    assert ("kept.ids", "a") in Fields(answer.text).hidden
    assert "nhà cung cấp" not in answer.text


def test_a_form_with_a_file_keeps_its_texts(client: TestClient, maker: TokenMaker) -> None:
    form, file = {"reason": "Lý do"}, {"file": ("x.txt", b"content")}
    answer = client.post("/ui/publishing/files", data=form, files=file, headers=token(maker, 400))
    assert Fields(answer.text).hidden == [("target", "/ui/publishing/files"), ("kept.reason", "Lý do")]


def test_five_thousand_ticked_rows_are_kept(client: TestClient, maker: TokenMaker) -> None:
    ids = [f"{number:036d}" for number in range(5000)]
    answer = client.post(LIST, data={"ids": ids}, headers=token(maker, 400))
    assert [v for n, v in Fields(answer.text).hidden if n == "kept.ids"] == ids


@pytest.mark.parametrize("form", [{"ids": ["x" * 400_000, "y" * 700_000]}, {"ids": ["x"] * 5200}], ids=["too long", "too many"])
def test_a_form_too_large_to_be_kept_is_to_be_sent_again(client: TestClient, maker: TokenMaker, form: dict[str, Any]) -> None:
    answer = client.post(LIST, data=form, headers=token(maker, 400))
    assert answer.status_code == 403
    assert Fields(answer.text).hidden == [("target", "")]
    assert "cần thực hiện lại thao tác" in answer.text


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("/ui/publishing/submissions", True),
        ("/ui/district/certificates?state=pending&page=2", True),
        ("/ui/identity/factors/totp/begin", True),
        ("/ui/identity/confirm", False),
        ("/ui/elsewhere/x", False),
        ("/api/publishing/submissions", False),
        ("https://example.org/ui/records/x", False),
        ("//example.org/ui/records/x", False),
        ("/ui/records//example.org", False),
        ("/ui/records/\\example.org", False),
        ("/ui/records/x\r\nSet-Cookie: a=b", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_what_is_held_back_goes_on_to_our_own_pages_only(address: str, good: bool) -> None:
    assert confirming.target_in(address) == (address if good else "")
