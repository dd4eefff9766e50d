"""Collects what a round left behind everywhere: topics, databases, provider, gateway, documents."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from lxml import etree
from pyhanko.pdf_utils.reader import PdfFileReader
from pymongo import MongoClient
from pymongo.database import Database

from contracts.topics import TOPICS, dead_letter_topics
from infra.demo.road import Road
from infra.local import Stack
from infra.stack.instance import SERVICES
from services.chassis.kafka import Consumer
from services.district.handlers import consumers as district_consumers
from services.identity.activity.handlers import activity_consumers
from services.identity.certificates.handlers import decision_consumer
from services.identity.organisations.handlers import staff_consumer
from services.means import challenge
from services.publishing.handlers import consumers as publishing_consumers
from services.records.handlers import consumers as records_consumers
from services.records.imports.preview import preview
from services.signing.handlers import consumers as signing_consumers
from services.signing.steps import STEPS
from services.signing.verify import Verdict, verify_pdf, verify_xml
from services.signing.xml import DS
from tests.faults.history import Act, Evidence, Item, Result, Signature, Told, Transcript, effects_lost, events_lost

SETTLED_WITHIN = 60.0
Document = dict[str, Any]


class Collector:
    """Looks at one school on a running stack; topics and inboxes are looked at as a whole."""

    def __init__(self, stack: Stack, road: Road) -> None:
        self.stack = stack
        self.road = road
        self.school = road.export.school.code

    async def evidence(self, folder: Path) -> Evidence:
        """After a while in which what is still on its way may arrive. `folder` takes the documents."""
        deadline = time.monotonic() + SETTLED_WITHIN
        while True:
            e = Evidence()
            await self.events(e)
            with databases(self.stack) as dbs:
                self._unfinished(e, dbs)
            if not (e.unpublished or e.unfinished or list(events_lost(e)) or list(effects_lost(e))) or time.monotonic() > deadline:
                break
            await asyncio.sleep(1)
        await self.road.save_documents(folder)
        await self._outside(e)
        with databases(self.stack) as dbs:
            self._sent_and_written_down(e, dbs)
            self._transcripts(e, dbs, folder)
        return e

    # events

    async def events(self, e: Evidence) -> None:
        """Of all schools."""
        with databases(self.stack) as dbs:
            for db in dbs.values():
                for row in db["outbox"].find().sort([("topic", 1), ("subject", 1), ("sequence", 1)]):
                    e.written.append(told(row["topic"], row["body"].encode()))
                    if row["published_at"] is None:
                        e.unpublished.append(f"{row['topic']}: {row['subject']}#{row['sequence']}")
                e.set_aside += [f"parked: {row['_id']}" for row in db["parked"].find()]
            for consumer in consumers():
                e.handles[consumer.group] = set(consumer.handlers)
                prefix = f"{consumer.group}:"
                inbox = dbs[consumer.service]["inbox"].find({"_id": {"$gte": prefix, "$lt": f"{consumer.group};"}}, {"_id": 1})
                e.handled[consumer.group] = {str(row["_id"]).removeprefix(prefix) for row in inbox}
        async with AIOKafkaConsumer(bootstrap_servers=self.stack.info["kafka"], enable_auto_commit=False) as reader:
            for topic in TOPICS:
                e.topics += [told(topic.name, value) for value in await read(reader, topic.name, topic.partitions)]
            for letters in dead_letter_topics():
                e.set_aside += [f"dead letter of {letters.removesuffix('.dlq')}" for _ in await read(reader, letters, 1)]

    # databases

    def _unfinished(self, e: Evidence, dbs: Mapping[str, Database[Document]]) -> None:
        ours = {"school": self.school}
        waiting: dict[str, Iterator[Document]] = {
            "job": dbs["records"]["jobs"].find({**ours, "state": {"$ne": "finished"}}),
            "rendering": dbs["records"]["renderings"].find(),
            "batch": dbs["signing"]["batches"].find({**ours, "state": {"$ne": "finished"}}),
            "task": dbs["signing"]["tasks"].find({**ours, "$or": [{"step": {"$ne": "done"}}, {"claims": {"$ne": {}}}]}),
            "package": dbs["publishing"]["packages"].find({**ours, "state": {"$ne": "done"}}),
        }
        e.unfinished += [f"{kind} {row['_id']}" for kind, rows in waiting.items() for row in rows]

    def _sent_and_written_down(self, e: Evidence, dbs: Mapping[str, Database[Document]]) -> None:
        for p in dbs["identity"]["proofs"].find({"school": self.school, "challenge": {"$ne": None}}):
            e.challenges[b64encode(challenge.digest(p["challenge"])).decode()] = p["state"] == "PROVED" and p["signature"] is not None
        signing = dbs["signing"]
        batches = {b["_id"]: b for b in signing["batches"].find({"school": self.school})}
        for i in signing["items"].find({"batch": {"$in": list(batches)}}):
            batch = batches[i["batch"]]
            e.items.append(
                Item(
                    transcript=i["transcript"],
                    step=batch["step"],
                    person=batch["person"],
                    user=self._seal_user if batch["step"] == "issue" else batch["person"],
                    state=i["state"],
                    hashes=2 if STEPS[batch["step"]].pdf_field else 1,
                    confirmations=1 + batch.get("asked_again", 0),
                    code=i.get("code") or "",
                    reason=i.get("reason") or "",
                )
            )
        e.packages = {p["_id"]: p["object"]["sha256"] for p in dbs["publishing"]["packages"].find({"school": self.school})}
        ours = {t["_id"] for t in dbs["records"]["transcripts"].find({"school": self.school}, {"_id": 1})}
        for a in signing["audit"].find({"act": "sign", "subject": {"$in": list(batches)}}):
            e.acts.append(Act("sign", a["actor"], tuple(a["details"]["signed"]), a["details"]["step"]))
        jobs = [j["_id"] for j in dbs["records"]["jobs"].find({"school": self.school}, {"_id": 1})]
        for a in dbs["records"]["audit"].find({"act": "create", "subject": {"$in": jobs}}):
            e.acts.append(Act("create", a["actor"], (), count=a["details"]["created"]))
        requests = {r["_id"] for r in dbs["district"]["certificates"].find({"school": self.school}, {"_id": 1})}
        for service, act, subjects in (
            ("records", "import", {f"{self.school}:{self.road.export.school.year}"}),
            ("records", "confirm", ours),
            ("publishing", "submit", ours),
            ("identity", "signing account decided", self.road.export.signing_staff),
            ("identity", "school certificate decided", {self.school}),
            ("district", "approve certificate", requests),
        ):
            found = dbs[service]["audit"].find({"act": act, "subject": {"$in": sorted(subjects)}})
            e.acts += [Act(act, a["actor"], (a["subject"],)) for a in found]
            e.once[act] = set(subjects)

    def _transcripts(self, e: Evidence, dbs: Mapping[str, Database[Document]], folder: Path) -> None:
        seen = preview(self.road.export.files)
        users = {s.personal_id: s.code for s in seen.staff} | {seen.school.tax_code: self._seal_user} if seen.school else {}
        e.pupils = {p.code for p in seen.pupils} - {r["pupil"] for r in self.road.outcome.refused}
        sealed = {t.subject: t.data for t in e.topics if t.type == "TranscriptSealedV1"}
        confirmed = {t.subject: t.data for t in e.topics if t.type == "TranscriptConfirmedV1"}
        moves = {t.subject: t.sequence for t in e.topics if t.type == "TranscriptMovedV1"}
        held = {h["uuid"]: h for h in self.ledger["holdings"]}
        roots, crls = trust(self.stack)
        for t in dbs["records"]["transcripts"].find({"school": self.school}):
            submission = dbs["publishing"]["submissions"].find_one({"_id": t["_id"]}) or {}
            task = dbs["signing"]["tasks"].find_one({"_id": t["_id"]}) or {}
            district = dbs["district"]["transcripts"].find_one({"_id": t["_id"]}) or {}
            xml, pdf = ((folder / f"{t['_id']}.{kind}").read_bytes() for kind in ("xml", "pdf"))
            files = {
                "the documents": (sha256(xml).hexdigest(), sha256(pdf).hexdigest()),
                **{
                    who: digests(source)
                    for who, source in {
                        "records": t,
                        "signing": task,
                        "publishing": submission,
                        "TranscriptSealed": sealed.get(t["_id"], {}),
                        "TranscriptConfirmed": confirmed.get(t["_id"], {}),
                    }.items()
                },
                "the gateway": (held.get(t["_id"], {}).get("xml_sha256", ""), held.get(t["_id"], {}).get("pdf_sha256", "")),
            }
            current = district.get("seq") == moves.get(t["_id"])
            states = {
                "records": t["state"],
                "publishing": submission.get("state", "nowhere"),
                "district": district.get("state", "nowhere") if current else f"behind, at #{district.get('seq')}",
            }
            at = dt.datetime.now(dt.UTC)
            judged = [("xml", v, xml_hashes(xml)) for v in verify_xml(xml, roots, crls, at)]
            judged += [("pdf", v, pdf_hashes(pdf)) for v in verify_pdf(pdf, roots, crls, at)]
            signatures = tuple(signature(kind, v, hashes, users) for kind, v, hashes in judged)
            signers = tuple((s["role"], s["person"]) for s in t["signatures"])
            expected = self._expected(t["class_code"])
            e.transcripts.append(Transcript(t["_id"], t["pupil_code"], states, files, signatures, expected, signers))

    def _expected(self, class_code: str) -> dict[tuple[str, str], str]:
        """From the school's own export: who must stand where. A primary homeroom teacher signs once for the own subjects too."""
        seen = preview(self.road.export.files)
        home = next(c for c in seen.classes if c.code == class_code)
        teachers = {a.staff for a in seen.assignments if a.class_code == class_code}
        if self.road.export.school.level == "TH":
            teachers.discard(home.homeroom)
        own = {"GVCN": home.homeroom, "CBQL": home.leader, "KY_PHAT_HANH": self._seal_user}
        return {("xml", f"GVBM-{t}"): t for t in teachers} | {(kind, place): user for kind in ("xml", "pdf") for place, user in own.items()}

    @property
    def _seal_user(self) -> str:
        return f"mst-{self.road.export.school.tax_code}"

    # outside

    async def _outside(self, e: Evidence) -> None:
        async with httpx.AsyncClient(timeout=30) as outside:
            sandbox = self.stack.info["sandbox"]
            answer = await outside.get(f"{sandbox['provider']}/control/signed")
            ours = {*self.road.export.signing_staff, self._seal_user}
            e.provider = {user: hashes for user, hashes in answer.raise_for_status().json().items() if user in ours}
            answer = await outside.get(f"{sandbox['gateway']}/control/ledger", params={"school": self.school})
            self.ledger: dict[str, list[Document]] = answer.raise_for_status().json()
        e.taken = {p["id"]: p["digest"] for p in self.ledger["packages"]}
        e.arrivals = {p["id"]: p["arrivals"] for p in self.ledger["packages"]}
        e.results = [Result(r["package_id"], r["uuid"], r["version"], r["status"]) for r in self.ledger["results"]]


async def read(reader: AIOKafkaConsumer, topic: str, number: int) -> list[bytes]:
    """All values of a topic, each partition from its beginning."""
    partitions = [TopicPartition(topic, p) for p in range(number)]
    reader.assign(partitions)
    await reader.seek_to_beginning(*partitions)
    ends = await reader.end_offsets(partitions)
    found: list[bytes] = []
    for partition in partitions:
        while await reader.position(partition) < ends[partition]:
            for records in (await reader.getmany(partition, timeout_ms=200)).values():
                found.extend(r.value or b"" for r in records)
    return found


@contextmanager
def databases(stack: Stack) -> Iterator[dict[str, Database[Document]]]:
    """By service, each as its own user."""
    instance = stack.instance
    clients: dict[str, MongoClient[Document]] = {
        s: MongoClient(instance.mongo_url, username=s, password=instance.secret(f"mongo-{s}"), authSource=s, tz_aware=True)
        for s in SERVICES
    }
    try:
        yield {service: client[service] for service, client in clients.items()}
    finally:
        for client in clients.values():
            client.close()


def consumers() -> list[Consumer]:
    """As the services register them; nothing is read with these."""
    nothing: Any = SimpleNamespace(db=None)
    made = [staff_consumer(nothing), decision_consumer(nothing), *activity_consumers(nothing)]
    for make in (records_consumers, signing_consumers, publishing_consumers, district_consumers):
        made += make(nothing)
    return made


def told(topic: str, body: bytes) -> Told:
    event = json.loads(body)
    return Told(topic, event["subject"], event["sequence"], event["id"], event["type"], event["data"])


def digests(source: Mapping[str, Any]) -> tuple[str, str]:
    xml, pdf = ((source.get(kind) or {}).get("sha256", "") for kind in ("xml", "pdf"))
    return xml, pdf


def trust(stack: Stack) -> tuple[list[bytes], list[bytes]]:
    """Roots as DER, and the revocation lists."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    sandbox = stack.info["sandbox"]
    roots = [x509.load_pem_x509_certificate(f.read_bytes()).public_bytes(Encoding.DER) for f in Path(sandbox["trust"]).glob("*.pem")]
    return roots, [f.read_bytes() for f in (Path(sandbox["dir"]) / "crl").glob("*.crl")]


def signature(kind: str, verdict: Verdict, hashes: Mapping[str, str], users: Mapping[str, str]) -> Signature:
    owner = verdict.personal_id or verdict.tax_code or ""
    return Signature(kind, verdict.place, users.get(owner, owner), hashes.get(verdict.place, ""), verdict.valid)


def xml_hashes(document: bytes) -> dict[str, str]:
    """By signature Id: the digest over its SignedInfo, which is what the provider was given (base64)."""
    found = {}
    for one in etree.fromstring(document).iter(f"{{{DS}}}Signature"):
        info = one.find(f"{{{DS}}}SignedInfo")
        assert info is not None
        canonical = etree.tostring(info, method="c14n", exclusive=True)
        found[one.get("Id", "")] = b64encode(sha256(canonical).digest()).decode()
    return found


def pdf_hashes(document: bytes) -> dict[str, str]:
    """By field: the digest over the signed attributes."""
    return {
        str(s.field_name): b64encode(sha256(s.signer_info["signed_attrs"].untag().dump()).digest()).decode()
        for s in PdfFileReader(BytesIO(document)).embedded_signatures
    }
