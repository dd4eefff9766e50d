"""What stands in the databases, in the same shape as what is expected; and all that must hold once everything has arrived."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from contracts.documents import DocumentRef
from services.chassis.audit_seal import Sealer
from services.chassis.audit_verify import verify
from services.chassis.mongo import Database
from tests.integration.pages_world import World
from tests.life.model import Model, Row
from tests.life.school import HOMES, INSPECTOR, REMARKS
from tests.life.table import PUBLISHING_AT, SIGNING_AT

Seen = dict[str, dict[str, Any]]
TRANSCRIPT = ("pupil_code", "version", "state", "live", "returned_from", "stopped", "replaces")


Outboxes = dict[str, list[dict[str, Any]]]
UNTOLD = [{"$match": {"published_at": None}}]


async def observe(world: World) -> tuple[Seen, Outboxes]:
    """And by service what its outbox holds that nobody has been told yet: one question a database, since it is asked after every act."""
    records, signing, publishing = (world.db(s) for s in ("records", "signing", "publishing"))
    names = (
        "transcripts",
        "pupils",
        "classes",
        "renderings",
        "corrections",
        "copies",
        "transfers_out",
        "jobs",
        "imports",
        "year_locks",
        "arrivals",
    )
    shown: dict[str, Any] = {
        "transcripts": {**dict.fromkeys(TRANSCRIPT, 1), "signed": {"$size": "$signatures"}},
        "pupils": {"code": 1, "data.address": 1, "data.status": 1, "result.homeroom_comment": 1, "result.subjects.level": 1},
        "copies": {"state": 1},
        "corrections": {"state": 1},
        "jobs": {"state": 1},
        "imports": {"state": 1},
        "transfers_out": {"standing": 1},
        "arrivals": {"state": 1},
        "renderings": {"problem": 1},
    }
    tasks = {"step": 1, "stopped": 1, "claims": 1, "signed_by": 1}
    by, signed, sent = await asyncio.gather(
        _all(records, {name: [{"$project": shown.get(name, {"sequence": 0})}] for name in names}),
        _all(signing, {"tasks": [{"$project": tasks}], "year_locks": [{"$project": {"locked": 1}}]}),
        _all(publishing, {"submissions": [{"$project": {"state": 1}}]}),
    )
    outboxes = {"records": by["outbox"], "signing": signed["outbox"], "publishing": sent["outbox"]}
    by |= {"tasks": signed["tasks"], "signing_locks": signed["year_locks"], "submissions": sent["submissions"]}
    lock = next(iter(by["year_locks"]), {})
    seen: Seen = {
        "transcripts": {
            t["_id"]: (*(t.get(k) or None for k in TRANSCRIPT[:5]), bool(t.get("stopped")), t["signed"]) for t in by["transcripts"]
        },
        "pupils": {p["code"]: _pupil(p) for p in by["pupils"]},
        "classes": {c["code"]: (bool(c.get("finalised_at")), c["pupils"]) for c in by["classes"]},
        "renderings": {r["_id"]: bool(r.get("problem")) for r in by["renderings"]},
        "corrections": {c["_id"]: c["state"] for c in by["corrections"]},
        "copies": {c["_id"]: c["state"] for c in by["copies"]},
        "transfers": {t["_id"]: t["standing"] for t in by["transfers_out"]},
        "arrivals": {a["_id"]: a["state"] for a in by["arrivals"]},
        "jobs": {j["_id"]: j["state"] for j in by["jobs"]},
        "previews": {i["_id"]: i["state"] == "confirmed" for i in by["imports"]},
        "tasks": {t["_id"]: (t["step"], bool(t.get("stopped")), sorted(t["claims"]), sorted(t["signed_by"])) for t in by["tasks"]},
        "submissions": {s["_id"]: s["state"] for s in by["submissions"]},
        "year": {
            "locked": bool(lock.get("locked")),
            "planned": lock.get("planned_on"),
            "inspector": lock.get("inspector") == INSPECTOR,
            "locked in signing": any(each["locked"] for each in by["signing_locks"]),
        },
    }
    return seen, outboxes


async def _all(db: Database, shown: Mapping[str, list[Any]]) -> dict[str, list[dict[str, Any]]]:
    """By collection, what its pipeline shows of it; `outbox` besides."""
    every = {**shown, "outbox": UNTOLD}
    first, *others = ([*pipeline, {"$addFields": {"in": name}}] for name, pipeline in every.items())
    unions = [{"$unionWith": {"coll": name, "pipeline": pipeline}} for name, pipeline in zip(list(every)[1:], others, strict=True)]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in every}
    async for document in db[next(iter(every))].aggregate([*first, *unions]):
        found[document["in"]].append(document)
    return found


def _pupil(p: dict[str, Any]) -> tuple[Any, ...]:
    home, status = HOMES.index(p["data"]["address"]), p["data"]["status"]
    if p.get("result") is None:
        # who came from another school has no results here yet
        return (None, home, False, status)
    return (REMARKS.index(p["result"]["homeroom_comment"]), home, bool(p["result"]["subjects"][0]["level"]), status)


def expected(m: Model) -> Seen:
    def row(t: Row) -> tuple[Any, ...]:
        return (t["pupil"], t["version"], t["state"], t["live"] or None, t["returned_from"], t["stopped"], t["signatures"])

    def task(t: Row) -> tuple[Any, ...]:
        signed = sorted(f"{step}:{person}" for step, people in t["signed"].items() for person in people)
        return (t["step"], t["stopped"], sorted(t["claims"]), signed)

    return {
        "transcripts": {i: row(t) for i, t in m.transcripts.items()},
        "pupils": {code: (p["remark"], p["home"], p["whole"], p["status"]) for code, p in m.pupils.items()},
        "classes": {code: (c["finalised"], sum(p["class"] == code for p in m.pupils.values())) for code, c in m.classes.items()},
        "renderings": dict(m.renderings),
        **{
            name: {i: c["state"] for i, c in getattr(m, name).items()}
            for name in ("corrections", "copies", "jobs", "submissions", "arrivals")
        },
        "transfers": {i: t["standing"] for i, t in m.transfers.items()},
        "previews": {i: p["done"] for i, p in m.previews.items()},
        "tasks": {i: task(t) for i, t in m.tasks.items()},
        "year": {
            "locked": m.locked,
            "planned": m.planned.isoformat() if m.planned else None,
            "inspector": m.inspector,
            "locked in signing": m.locked_in_signing,
        },
    }


def differences(m: Model, seen: Seen) -> list[str]:
    wanted = expected(m)
    return [
        f"{part} {key}: expected {wanted[part].get(key)}, found {seen[part].get(key)}"
        for part in seen
        for key in sorted(wanted[part].keys() | seen[part].keys())
        if wanted[part].get(key, "nothing") != seen[part].get(key, "nothing")
    ]


def disagreements(m: Model) -> list[str]:
    """Where services differ about a transcript although everything was handed over."""
    found = []
    for i, t in m.transcripts.items():
        task, submission = m.tasks.get(i), m.submissions.get(i)
        if task is None or task["step"] not in SIGNING_AT[t["state"]]:
            found.append(f"{i} is {t['state']}, in signing {task}")
        if (submission or {"state": None})["state"] not in PUBLISHING_AT[t["state"]]:
            found.append(f"{i} is {t['state']}, in publishing {submission}")
    if m.locked != m.locked_in_signing:
        found.append(f"the year is locked: {m.locked}, in signing: {m.locked_in_signing}")
    return found


async def kept(world: World, m: Model) -> None:
    """Nothing that was ever made has gone: files with their digests, what stands in them, who cancelled it and why, and the audit trail."""
    records = world.db("records")
    objects = world.parts["records"].objects
    async for t in records["transcripts"].find({}):
        expected_content = m.transcripts[t["_id"]]["content"]
        content = t["content"]
        here = {"remark": REMARKS.index(content["result"]["homeroom_comment"]), "home": HOMES.index(content["pupil"]["address"])}
        assert here == expected_content, "what stands in a transcript has changed"
        await asyncio.gather(*(objects.get(DocumentRef.model_validate(t[kind])) for kind in ("xml", "pdf") if t[kind]))
        if t["state"] == "CANCELLED":
            assert t["cancelled"]["reason"]
            assert await records["audit"].count_documents({"subject": t["_id"], "act": "cancel transcript"}) == 1
    async for received in records["received"].find({}):
        for kind in ("xml", "pdf"):
            await objects.get(DocumentRef.model_validate(received[kind]))
    assert await records["received"].count_documents({}) == sum(a["state"] == "TAKEN" for a in m.arrivals.values())
    numbers = sorted([c["number"] async for c in records["copies"].find({"number": {"$ne": None}})])
    assert numbers == list(range(1, len(numbers) + 1)), "the register of copies has gaps"
    assert await records["corrections"].count_documents({"state": "DONE", "minutes": None}) == 0
    for service in ("records", "signing", "publishing"):
        db = world.db(service)
        sealer = Sealer(db)
        while await sealer.seal():
            pass
        _, fault = await verify(db)
        assert fault is None, fault
        assert await db["parked"].count_documents({}) == 0
