"""What every service's HTTP side has in common, asked as the gateway asks it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Form
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import OKPKey
from pydantic import BaseModel, Field

from contracts.access import Action, Principal, Role
from services.chassis import access, clock
from services.chassis.access import TokenMaker, Who, require
from services.chassis.errors import CONFLICT, Refused
from services.chassis.mongo import PyMongoError
from services.chassis.web.app import make_app
from tests.factories.settings import settings_without_servers

TEACHER = Principal(person="31300001003", name="Nguyễn Văn An", roles=frozenset({Role.SUBJECT_TEACHER}), school="31300001")
SITE = "https://localhost:8443"


class Box(BaseModel):
    name: str = Field(min_length=1)
    weight: int


class Keys:
    def __init__(self, directory: Path) -> None:
        self.signing = self.new()
        self.private = directory / "private.jwk"
        self.private.write_text(json.dumps(self.signing.as_dict(private=True)))
        self.public = directory / "public.jwks"
        self.public.write_text(json.dumps({"keys": [self.signing.as_dict(private=False)]}))

    @staticmethod
    def new() -> OKPKey:
        return OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)

    def token(self, key: OKPKey | None = None, **changes: Any) -> str:
        now = int(clock.now().timestamp())
        who = TEACHER.model_dump(mode="json", exclude={"person"})
        claims = {"iss": access.ISSUER, "aud": access.AUDIENCE, "sub": TEACHER.person, "iat": now, "exp": now + 60, "who": who, **changes}
        key = key or self.signing
        return jwt.encode({"alg": access.ALGORITHMS[0], "kid": self.signing.kid}, claims, key, algorithms=access.ALGORITHMS)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def app(keys: Keys) -> FastAPI:
    app = make_app(settings_without_servers(keys.public, public_url=SITE), "records")

    @app.get("/api/records/who")
    async def who_am_i(who: Who) -> str:
        return who.person

    @app.get("/api/records/people")
    async def people(who: Who) -> str:
        require(who, Action.GRANT_ACCOUNTS, school=who.school)
        return "granted"

    @app.post("/api/records/boxes")
    async def put(box: Box) -> Box:
        return box

    @app.post("/ui/records/boxes")
    async def form(name: Annotated[str, Form()]) -> str:
        return name

    @app.get("/{side}/records/{what}")
    async def fail(side: str, what: str) -> None:
        raise {"refused": Refused(CONFLICT), "away": PyMongoError("no primary"), "full": OSError("disk")}.get(what) or RuntimeError(
            f"secret inside of {what}"
        )

    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url=SITE) as client:
        yield client


def test_a_refusal_is_a_problem_document_with_code_cause_action_and_request_id(client: TestClient) -> None:
    answer = client.get("/api/records/refused", headers={"X-Request-ID": "request-0001"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["X-Request-ID"] == "request-0001"
    assert answer.json() == {
        "type": "urn:hocba:error:HB-WEB-409",
        "title": CONFLICT.title,
        "status": 409,
        "detail": CONFLICT.detail,
        "code": "HB-WEB-409",
        "cause": CONFLICT.cause,
        "action": CONFLICT.action,
        "request_id": "request-0001",
    }


def test_every_answer_has_a_request_id_and_no_two_the_same(client: TestClient) -> None:
    given = {client.get("/api/records/refused").headers["X-Request-ID"] for _ in range(3)}
    assert len(given) == 3


def test_an_unexpected_failure_tells_a_code_and_nothing_of_the_inside(client: TestClient) -> None:
    answer = client.get("/api/records/broken")
    assert answer.status_code == 500
    assert answer.json()["code"] == "HB-WEB-500"
    assert "secret inside" not in answer.text
    assert "Traceback" not in answer.text


def test_a_page_that_fails_is_a_page_with_the_code_and_the_request_id(client: TestClient) -> None:
    answer = client.get("/ui/records/broken", headers={"X-Request-ID": "request-0002"})
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert "HB-WEB-500" in answer.text
    assert "request-0002" in answer.text
    assert 'href="/ui/identity/problems/new?page=%2Fui%2Frecords%2Fbroken&amp;request=request-0002"' in answer.text, "it can be reported"
    assert "secret inside" not in answer.text


@pytest.mark.parametrize("what", ["away", "full"])
def test_a_dependency_that_is_away_says_when_to_come_back(client: TestClient, what: str) -> None:
    answer = client.get(f"/api/records/{what}")
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "HB-WEB-503", "30")


def test_an_unknown_address_and_a_wrong_method_are_not_found(client: TestClient) -> None:
    for answer in (client.get("/nowhere"), client.delete("/api/records/who")):
        assert (answer.status_code, answer.json()["code"]) == (404, "HB-WEB-404")


def test_invalid_input_names_every_field_and_repeats_no_value(client: TestClient) -> None:
    answer = client.post("/api/records/boxes", json={"name": "", "weight": "a personal secret"})
    assert (answer.status_code, answer.json()["code"]) == (422, "HB-WEB-422")
    assert answer.json()["detail"] == "invalid input: name, weight"
    assert "a personal secret" not in answer.text


def test_a_body_that_is_no_json_is_invalid_input(client: TestClient) -> None:
    answer = client.post("/api/records/boxes", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "HB-WEB-422")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:8443"},
        {"Origin": "https://localhost:8444"},
        {"Origin": "null"},
    ],
)
def test_a_form_sent_from_another_site_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/api/records/boxes", json={"name": "a", "weight": 1}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "HB-WEB-403")
    assert client.post("/ui/records/boxes", data={"name": "a"}, headers=headers).status_code == 403


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin", "Origin": SITE}, {"Sec-Fetch-Site": "none"}])
def test_a_form_of_our_own_site_and_a_program_are_let_in(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/api/records/boxes", json={"name": "a", "weight": 1}, headers=headers).status_code == 200


def test_a_link_from_another_site_may_be_followed(client: TestClient, keys: Keys) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Authorization": f"Bearer {keys.token()}"}
    assert client.get("/api/records/who", headers=headers).status_code == 200


def test_a_token_of_identity_tells_who_is_there(client: TestClient, keys: Keys) -> None:
    token = TokenMaker(keys.private).make(TEACHER)
    assert client.get("/api/records/who", headers={"Authorization": f"Bearer {token}"}).json() == TEACHER.person


def test_without_a_token_nobody_is_there(client: TestClient) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}):
        answer = client.get("/api/records/who", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "HB-ACC-401")


def bad_tokens(keys: Keys) -> dict[str, str]:
    past = int((clock.now() - dt.timedelta(minutes=1)).timestamp())
    header, _, signature = keys.token().split(".")
    _, other, _ = keys.token(sub="31300001001").split(".")
    unsigned = jwt.encode({"alg": "none"}, {"iss": access.ISSUER}, OKPKey.generate_key("Ed25519"), algorithms=["none"])
    return {
        "expired": keys.token(exp=past),
        "for another audience": keys.token(aud="somebody-else"),
        "of another issuer": keys.token(iss="somebody-else"),
        "of another key": keys.token(Keys.new()),
        "changed": f"{header}.{other}.{signature}",
        "unsigned": unsigned,
        "without an end": keys.token(exp=None),
        "without a person": keys.token(sub=None),
        "without roles": keys.token(who={"name": "x"}),
        "with an unknown role": keys.token(who={"name": "x", "roles": ["king"]}),
        "no token": "a.b.c",
        "not ASCII": "ế",
    }


def test_no_other_token_is_good(client: TestClient, keys: Keys) -> None:
    for name, token in bad_tokens(keys).items():
        answer = client.get("/api/records/who", headers={"Authorization": f"Bearer {token}".encode()})
        assert (name, answer.status_code, answer.json()["code"]) == (name, 401, "HB-ACC-401")


def test_who_lacks_the_right_is_told_which(client: TestClient, keys: Keys) -> None:
    answer = client.get("/api/records/people", headers={"Authorization": f"Bearer {keys.token()}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "HB-ACC-403")
    assert answer.json()["detail"] == "action grant_accounts is not granted"


def test_a_page_leads_to_the_sign_in_when_nobody_is_there(app: FastAPI, client: TestClient) -> None:
    @app.get("/ui/records/mine/here")
    async def mine(who: Who) -> str:
        return who.person

    answer = client.get("/ui/records/mine/here", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/identity/sign-in")


def test_a_request_id_that_could_forge_a_log_line_or_a_header_is_replaced(client: TestClient) -> None:
    for forged in ("x", "a" * 65, "hai từ".encode().hex() + ";x", "<script>alert(1)</script>"):
        answer = client.get("/api/records/refused", headers={"X-Request-ID": forged})
        assert answer.headers["X-Request-ID"] != forged
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
