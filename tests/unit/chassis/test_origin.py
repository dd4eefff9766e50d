"""Where an act comes from is known while its request is answered, and not a moment longer."""

from __future__ import annotations

from typing import Any

from services.chassis import audit, origin


class Trail:
    """Stands in for the database: keeps what would be inserted."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def __getitem__(self, name: str) -> Trail:
        assert name == "audit"
        return self

    async def insert_one(self, entry: dict[str, Any], session: object = None) -> None:
        assert session is None
        self.entries.append(entry)


HERE = origin.Origin("Chrome trên Windows", "203.0.113.7")


async def recorded(**given: Any) -> dict[str, Any]:
    trail = Trail()
    db: Any = trail
    await audit.record(db, None, actor="a", act="put", subject="s", **given)
    return trail.entries[0]


async def test_an_act_within_a_request_has_its_id_and_where_it_comes_from() -> None:
    with origin.answering("request-1", HERE):
        entry = await recorded(place="31300001")
    assert (entry["request_id"], entry["origin"]) == ("request-1", {"address": "203.0.113.7", "device": "Chrome trên Windows"})
    assert entry["place"] == "31300001"


async def test_what_is_given_goes_before_what_the_request_says() -> None:
    with origin.answering("request-1", HERE):
        entry = await recorded(request_id="batch-7", origin=origin.Origin("Thiết bị khác", "198.51.100.1"))
    assert (entry["request_id"], entry["origin"]["address"]) == ("batch-7", "198.51.100.1")


async def test_an_act_outside_a_request_has_neither() -> None:
    with origin.answering("request-1", HERE):
        pass
    entry = await recorded()
    assert (entry["request_id"], entry["origin"], entry["place"], origin.asking()) == (None, None, None, None)
