"""Rules of pairing codes and of the session that a signing program gets."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import KeySet, OKPKey

from contracts.access import Principal
from services.chassis.access import TheAgent, TokenMaker, Who
from services.chassis.origin import Origin
from services.chassis.web.app import make_app
from services.identity.accounts import sessions
from services.identity.agents import pairing
from services.means import token
from tests.factories.settings import settings_without_servers

NOW = dt.datetime.now(dt.UTC)
PERSON: dict[str, Any] = {"_id": "31300001007", "name": "An", "roles": [], "school": "31300001", "unit": None, "homeroom_of": []}
PAIRING = {"person": PERSON["_id"], "version": "TH", "factor": "none"}
TOLD = {"host": "may-tinh-1", "version": "0.1.0"}


def test_codes_have_eight_characters_none_of_which_looks_like_another() -> None:
    codes = {pairing.new_code() for _ in range(500)}
    assert len(codes) == 500
    assert {len(code) for code in codes} == {8}
    assert not set("".join(codes)) & set("ILO01")


@pytest.mark.parametrize("typed", ["ABCD2345", "abcd-2345", " Abcd 2345 ", "ABCD-2345\n"])
def test_a_code_may_be_typed_as_people_type(typed: str) -> None:
    assert pairing.normalised(typed) == "ABCD2345"
    assert pairing.normalised(pairing.shown("ABCD2345")) == "ABCD2345"


def test_a_computer_is_called_by_one_printable_line() -> None:
    assert pairing.device_of("PC-01\x1b[2J\n") == "Chương trình ký trên máy tính PC-01[2J"
    assert pairing.clean_host("\t ") == "không tên"
    assert len(pairing.clean_host("a" * 300)) == 60


def test_a_program_has_a_session_like_others_that_says_it_is_a_program() -> None:
    made = pairing.agent_session("secret", PAIRING, "agent-1", TOLD, at=NOW, address="203.0.113.7")
    assert made["_id"] == sessions.digest_of("secret")
    assert (made["kind"], made["agent"], made["ends_at"]) == ("agent", "agent-1", NOW + sessions.ABSOLUTE)
    here = sessions.read("secret", made, PERSON, NOW, demanding=False)
    assert here is not None
    assert here.who.agent == "agent-1"
    assert sessions.read("secret", made, PERSON, NOW + sessions.IDLE, demanding=False) is None


@pytest.mark.parametrize(("agent", "person_route", "agent_route"), [(None, 200, 403), ("agent-1", 403, 200)])
def test_no_service_takes_a_program_for_its_person_nor_the_other_way_round(
    tmp_path: Path, agent: str | None, person_route: int, agent_route: int
) -> None:
    key = OKPKey.generate_key("Ed25519", auto_kid=True)
    private, public = tmp_path / "key.jwk", tmp_path / "keys.jwks"
    private.write_text(json.dumps(key.as_dict(private=True)))
    public.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    app = make_app(settings_without_servers(public), "identity")

    @app.get("/person")
    async def person(who: Who) -> str:
        return who.person

    @app.get("/agent")
    async def program(who: TheAgent) -> str:
        return str(who.agent)

    who = Principal(person="31300001007", name="An", roles=frozenset(), agent=agent)
    headers = {"Authorization": f"Bearer {TokenMaker(private).make(who)}"}
    with TestClient(app) as client:
        assert client.get("/person", headers=headers).status_code == person_route
        assert client.get("/agent", headers=headers).status_code == agent_route
        assert [client.get(path).status_code for path in ("/person", "/agent")] == [401, 401]


def test_a_browser_session_is_no_program() -> None:
    origin = Origin(device="Chrome trên Windows", address="")
    made = sessions.new_session("t", PERSON["_id"], "TH", forced=False, factor=sessions.Factor.NONE, at=NOW, origin=origin)
    here = sessions.read("t", made, PERSON, NOW, demanding=False)
    assert here is not None
    assert here.who.agent is None


def test_only_a_challenge_can_be_asked_to_be_signed() -> None:
    with pytest.raises(ValueError, match="no challenge"):
        token.Prove(text="0" * 64, certificate="0" * 64, scheme="ecdsa")


@pytest.mark.parametrize("content", [{"hash": "00"}, {"text": "x"}])
def test_a_listing_takes_no_orders(content: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        token.CONTENT["certificates"].model_validate(content)


def test_a_result_that_is_not_base64_is_refused() -> None:
    with pytest.raises(ValueError, match="signature"):
        token.Proof(signature="không phải")
    assert token.Proof(signature="AAEC").value == bytes([0, 1, 2])
