"""What a change of an event's schema may do: add optional properties, and nothing else.

A service may be older or newer than the one that wrote an event, and topics keep events for weeks. So a new schema has to take
every old event (nothing newly required, nothing narrowed), and an old consumer has to take every new event (nothing taken away,
nothing widened). Plain dictionaries in, sentences out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

WORDS_ALONE = frozenset({"$comment", "$defs", "$id", "$schema", "deprecated", "description", "examples", "title"})
"""Keywords that say nothing about which messages are valid; `$defs` is followed where it is referred to."""
COMPARED_DEEPLY = frozenset({"$ref", "anyOf", "enum", "const", "items", "prefixItems", "properties", "required", "type"})


def breaks(old_schema: Schema, new_schema: Schema) -> list[str]:
    """Everything that keeps `new_schema` from standing in for `old_schema`, one sentence each; empty when it may."""
    return _Comparison(old_schema, new_schema).breaks


class _Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self.old_root, self.new_root = old, new
        self.breaks: list[str] = []
        self._seen: set[tuple[str, str]] = set()
        self._compare(old, new, "")

    def _say(self, path: str, what: str) -> None:
        self.breaks.append(f"{path or 'the event'}: {what}")

    def _compare(self, old: Schema, new: Schema, path: str) -> None:
        pair = (str(old.get("$ref", "")), str(new.get("$ref", "")))
        if all(pair):
            if pair in self._seen:
                return
            self._seen.add(pair)
        old, new = _resolved(self.old_root, old), _resolved(self.new_root, new)
        self._compare_types(old, new, path)
        self._compare_values(old, new, path)
        self._compare_properties(old, new, path)
        self._compare_parts(old, new, path)
        for keyword in sorted((set(old) | set(new)) - WORDS_ALONE - COMPARED_DEEPLY):
            if old.get(keyword) != new.get(keyword):
                self._say(path, f"{keyword} changed from {_shown(old, keyword)} to {_shown(new, keyword)}")

    def _compare_types(self, old: Schema, new: Schema, path: str) -> None:
        before, after = _names(old.get("type")), _names(new.get("type"))
        if before != after:
            self._say(path, f"type changed from {_listed(before)} to {_listed(after)}")

    def _compare_values(self, old: Schema, new: Schema, path: str) -> None:
        before, after = _values(old), _values(new)
        if before is None and after is None:
            return
        if before is None or after is None:
            self._say(path, "is now limited to a list of values" if before is None else "is no longer limited to a list of values")
            return
        self.breaks += [f"{path}: value {value} was removed" for value in before if value not in after]
        self.breaks += [f"{path}: value {value} was added, which older consumers refuse" for value in after if value not in before]

    def _compare_properties(self, old: Schema, new: Schema, path: str) -> None:
        before: Schema = old.get("properties", {})
        after: Schema = new.get("properties", {})
        needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in before:
            where = f"{path}.{name}".lstrip(".")
            if name not in after:
                self._say(where, "was removed")
                continue
            self._compare(before[name], after[name], where)
            if name in needed_after - needed_before:
                self._say(where, "is newly required")
            if name in needed_before - needed_after:
                self._say(where, "is no longer required, but older consumers need it")
        for name in sorted(needed_after - set(before)):
            self._say(f"{path}.{name}".lstrip("."), "is new and required")

    def _compare_parts(self, old: Schema, new: Schema, path: str) -> None:
        if "items" in old and "items" in new and isinstance(old["items"], Mapping) and isinstance(new["items"], Mapping):
            self._compare(old["items"], new["items"], f"{path}[]")
        elif old.get("items") != new.get("items"):
            self._say(path, "what the list holds changed")
        for keyword in ("anyOf", "prefixItems"):
            before, after = old.get(keyword, ()), new.get(keyword, ())
            if len(before) != len(after):
                self._say(path, f"{keyword} changed from {len(before)} to {len(after)} choices")
                continue
            for one, other in zip(before, after, strict=True):
                self._compare(one, other, path)


def _resolved(root: Schema, schema: Schema) -> Schema:
    """Follows `$ref` within the document; keywords beside it are kept. Raises KeyError for a reference that leads nowhere."""
    while "$ref" in schema:
        target: Any = root
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema


def _names(types: str | Sequence[str] | None) -> list[str]:
    return sorted([types] if isinstance(types, str) else types or ())


def _listed(types: Sequence[str]) -> str:
    return " or ".join(types) or "anything"


def _values(schema: Schema) -> list[str] | None:
    if "const" in schema:
        return [repr(schema["const"])]
    return [repr(value) for value in schema["enum"]] if "enum" in schema else None


def _shown(schema: Schema, keyword: str) -> str:
    return repr(schema[keyword]) if keyword in schema else "nothing"
