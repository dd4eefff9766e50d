"""AsyncAPI 3.0: every topic with its owner, readers, key and layout, and the messages that travel on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from contracts.menu import PRODUCT
from contracts.topics import TOPICS, Topic, dead_letter_topic
from infra.generate import GENERATED_BY
from infra.generate.schemas import facts
from services.chassis.kafka import DETAIL, ORIGIN, REASON

if TYPE_CHECKING:
    from contracts.event import Fact

PATH = "contracts/asyncapi.yaml"
DEAD_LETTER = "DeadLetter"
DESCRIPTION = """\
One topic an aggregate; messages on a topic are told apart by `type`, and a consumer skips types that it does not know.
The value is JSON: the envelope with the fact in `data`. The key is the envelope's `subject`, so that the events of one
subject stay in order. Delivery is at least once; `id` is the same every time. Only optional properties are ever added:
any other change is a new type with the next number. See docs/architecture/events.md.
"""


def document() -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": PRODUCT,
            "version": "1.0.0",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {**{t.name: _channel(t) for t in TOPICS}, **{name: _dead_letters(name) for name in _dead_letter_topics()}},
        "operations": {name: operation for t in TOPICS for name, operation in _operations(t).items()},
        "components": {"messages": {**{f.__name__: _message(f) for f in facts()}, DEAD_LETTER: _dead_letter()}},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    told = facts_of(topic)
    return {
        "address": topic.name,
        "description": f"Written by {topic.owner}, read by {', '.join(topic.consumers)}. Key: {topic.key}.",
        "messages": {f.__name__: {"$ref": f"#/components/messages/{f.__name__}"} for f in told},
        "x-owner": topic.owner,
        "x-consumers": list(topic.consumers),
        "x-key": topic.key,
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": topic.retention_hours * 3600 * 1000},
            }
        },
    }


def _operations(topic: Topic) -> dict[str, dict[str, Any]]:
    messages = [{"$ref": f"#/channels/{topic.name}/messages/{f.__name__}"} for f in facts_of(topic)]
    channel = {"$ref": f"#/channels/{topic.name}"}
    receiving = {
        f"{service}.receives.{topic.name}": {
            "action": "receive",
            "channel": channel,
            "summary": f"{service} reads {topic.name}; types that it does not know are skipped.",
            "messages": messages,
            "bindings": {"kafka": {"groupId": {"type": "string", "const": topic.group(service)}}},
        }
        for service in topic.consumers
    }
    sending = {"action": "send", "channel": channel, "summary": f"{topic.owner} tells what happened.", "messages": messages}
    return {f"{topic.owner}.sends.{topic.name}": sending, **receiving}


def facts_of(topic: Topic) -> list[type[Fact]]:
    return [f for f in facts() if f.topic == topic.name]


def _message(fact: type[Fact]) -> dict[str, Any]:
    schema = {"$ref": f"./schemas/{fact.__name__}.json"}
    return {
        "name": fact.__name__,
        "title": fact.__name__,
        "summary": (fact.__doc__ or "").partition("\n")[0],
        "contentType": "application/json",
        "headers": {"type": "object", "properties": {"id": {"type": "string", "format": "uuid", "description": "the envelope's id"}}},
        "payload": {"schemaFormat": "application/schema+json;version=2020-12", "schema": schema},
        "bindings": {"kafka": {"key": {"type": "string", "description": "the envelope's subject"}}},
    }


def _dead_letter_topics() -> dict[str, str]:
    """Dead letter topic → consumer group."""
    groups = [t.group(service) for t in TOPICS for service in t.consumers]
    return {dead_letter_topic(group): group for group in groups}


def _dead_letters(name: str) -> dict[str, Any]:
    group = _dead_letter_topics()[name]
    return {
        "address": name,
        "description": f"What the group {group} could not handle, until it is replayed.",
        "messages": {DEAD_LETTER: {"$ref": f"#/components/messages/{DEAD_LETTER}"}},
        "x-owner": group.partition(".")[0],
        "bindings": {"kafka": {"topic": name, "partitions": 1, "topicConfiguration": {"retention.ms": -1}}},
    }


def _dead_letter() -> dict[str, Any]:
    names = {
        ORIGIN: "topic/partition/offset that it was read from first",
        REASON: "unreadable, refused, failed or parked",
        DETAIL: "the problem, at most 500 characters, without the values that were wrong",
    }
    return {
        "name": DEAD_LETTER,
        "title": DEAD_LETTER,
        "summary": "The key, value and headers of the message that was given up, byte for byte, and these headers beside them.",
        "headers": {"type": "object", "properties": {name: {"type": "string", "description": text} for name, text in names.items()}},
        "payload": {},
    }


class _Plain(yaml.SafeDumper):
    """No anchors: a description is for people too."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _text(dumper: _Plain, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Plain.add_representer(str, _text)


def files() -> dict[str, str]:
    text = yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
    return {PATH: f"# {GENERATED_BY}\n{text}"}
