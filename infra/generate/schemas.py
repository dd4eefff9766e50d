"""JSON Schema of every event, as it travels: the envelope with the fact in it."""

from __future__ import annotations

import importlib
import json
import pkgutil
from typing import Any

import contracts.events
from contracts.event import Event, Fact

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def facts() -> tuple[type[Fact], ...]:
    """Every type of event, by name."""
    modules = [importlib.import_module(m.name) for m in pkgutil.iter_modules(contracts.events.__path__, "contracts.events.")]
    found = {value for module in modules for value in vars(module).values() if isinstance(value, type) and issubclass(value, Fact)}
    return tuple(sorted(found - {Fact}, key=lambda fact: fact.__name__))


def event_schema(fact: type[Fact]) -> dict[str, Any]:
    """Unknown properties are allowed everywhere: consumers ignore what they do not know yet.

    Narrower than the model in two points, since the outbox always writes them: `type` is the type's own name, `id` is there.
    """
    schema = Event[fact].model_json_schema(ref_template="#/$defs/{model}")  # type: ignore[valid-type] # the type is data here
    schema["properties"]["type"]["const"] = fact.__name__
    schema["required"] = ["id", *schema["required"]]
    schema["description"] = schema["$defs"][fact.__name__].pop("description", "")
    return {"$schema": DIALECT, "$id": f"urn:hocba:event:{fact.__name__}", **schema, "title": fact.__name__}


def files() -> dict[str, str]:
    return {f"contracts/schemas/{fact.__name__}.json": as_json(event_schema(fact)) for fact in facts()}


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
