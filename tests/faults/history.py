"""The history checker: from everything that was left behind, whether anything was lost, done twice, or out of order.

Pure: `violations` looks at collected evidence only, and trusts no service's word alone. What one wrote is compared with what
another was told, what the outside (provider, gateway) counted, and what stands in the documents.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LIFE = (
    "AWAITING_SUBJECT_TEACHERS",
    "AWAITING_HOMEROOM",
    "AWAITING_LEADER",
    "AWAITING_ISSUE",
    "SIGNED",
    "CONFIRMED",
    "SUBMITTED",
    "ACCEPTED",
)
"""Where a transcript is, one after the other; nothing in these rounds goes back."""
GAPLESS = frozenset({"records.transcripts"})
"""Topics that tell every change of a subject; others keep some changes to themselves, so that their sequences have gaps."""


@dataclass(frozen=True)
class Told:
    """An event, as it stands in an outbox or on a topic. `data` is the fact."""

    topic: str
    subject: str
    sequence: int
    id: str
    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Signature:
    """One that stands in a final document. `hash` is what was signed (base64), `user` who by the certificate."""

    document: str
    place: str
    user: str
    hash: str
    valid: bool


@dataclass(frozen=True)
class Item:
    """A person's intent to sign one transcript in one step. `hashes` is how many it needs; `confirmations`, how often its batch may have
    asked the person: once more for each authorisation whose values a crash lost."""

    transcript: str
    step: str
    person: str
    user: str
    state: str
    hashes: int
    confirmations: int = 1
    code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Transcript:
    """`states` and `files` (xml digest, pdf digest) by who says so; `expected`: document and place → user."""

    id: str
    pupil: str
    states: Mapping[str, str]
    files: Mapping[str, tuple[str, str]]
    signatures: tuple[Signature, ...]
    expected: Mapping[tuple[str, str], str]
    signers: tuple[tuple[str, str], ...]
    """As records keeps them: step and person, in order."""


@dataclass(frozen=True)
class Result:
    """What the gateway says of a transcript in a package."""

    package: str
    transcript: str
    version: int
    status: str


@dataclass(frozen=True)
class Act:
    """An audit entry. `count`: of a bulk act, how many it made."""

    act: str
    actor: str
    subjects: tuple[str, ...]
    step: str = ""
    count: int = 0


@dataclass
class Evidence:
    pupils: set[str] = field(default_factory=set)
    """Who must have a transcript."""
    written: list[Told] = field(default_factory=list)
    unpublished: list[str] = field(default_factory=list)
    topics: list[Told] = field(default_factory=list)
    """In the order of each partition, repeats included."""
    handles: dict[str, set[str]] = field(default_factory=dict)
    """Consumer group → types that it has a handler for; a group is named `service.topic`."""
    handled: dict[str, set[str]] = field(default_factory=dict)
    """Consumer group → ids in its inbox."""
    set_aside: list[str] = field(default_factory=list)
    """Dead letters, parked subjects, damaged documents."""
    unfinished: list[str] = field(default_factory=list)
    """Work that still waits although all is said to be done."""
    transcripts: list[Transcript] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    provider: dict[str, dict[str, int]] = field(default_factory=dict)
    """User → hash → how often it was signed."""
    challenges: dict[str, bool] = field(default_factory=dict)
    """Hash of each challenge that proved, or should have proved, that a key is held → whether a registration came of it."""
    packages: dict[str, str] = field(default_factory=dict)
    """Publishing's: id → digest of what was sent."""
    taken: dict[str, str] = field(default_factory=dict)
    """The gateway's: id → digest of what it got."""
    arrivals: dict[str, int] = field(default_factory=dict)
    """Package → how often it came to the gateway."""
    results: list[Result] = field(default_factory=list)
    submissions: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Transcript → publishing's state of it and the package that it went in; looked at when a round collects them."""
    answers: list[tuple[str, str]] = field(default_factory=list)
    """Transcript and submission of each end that publishing told, repeats included."""
    acts: list[Act] = field(default_factory=list)
    once: dict[str, set[str]] = field(default_factory=dict)
    """Act → subjects of which each has exactly one entry."""


@dataclass(frozen=True)
class Violation:
    rule: str
    what: str


def violations(e: Evidence) -> list[Violation]:
    """Every breach of the promises, named; none when all is well."""
    rules = {
        "event lost": events_lost,
        "event from nowhere": events_from_nowhere,
        "effect lost": effects_lost,
        "set aside": lambda x: iter(x.set_aside),
        "unfinished": lambda x: iter(x.unfinished),
        "transcript lost": transcripts_lost,
        "state differs": states_differ,
        "file differs": files_differ,
        "signature lost": signatures_lost,
        "signed twice": signed_twice,
        "signature unexplained": signatures_unexplained,
        "sent twice": sent_twice,
        "not accepted": not_accepted,
        "answers differ": answers_differ,
        "out of order": out_of_order,
        "audit": audit_wrong,
    }
    return [Violation(rule, what) for rule, check in rules.items() for what in check(e)]


# nothing is lost


def events_lost(e: Evidence) -> Iterator[str]:
    there = {t.id for t in e.topics}
    yield from (f"{t.type} {t.subject}#{t.sequence} was written but is not on {t.topic}" for t in e.written if t.id not in there)
    yield from (f"{u} was never marked as handed over" for u in e.unpublished)


def events_from_nowhere(e: Evidence) -> Iterator[str]:
    """What was rolled back must not be told, and what is told must be what was written."""
    written = {t.id: t for t in e.written}
    for t in e.topics:
        if t.id not in written:
            yield f"{t.type} {t.subject}#{t.sequence} on {t.topic} was never committed"
        elif written[t.id] != t:
            yield f"{t.type} {t.subject}#{t.sequence} on {t.topic} is not what was written"


def effects_lost(e: Evidence) -> Iterator[str]:
    for group, types in e.handles.items():
        topic = group.partition(".")[2]
        for t in {t.id: t for t in e.topics if t.topic == topic and t.type in types}.values():
            if t.id not in e.handled.get(group, set()):
                yield f"{t.type} {t.subject}#{t.sequence} never reached {group}"


def transcripts_lost(e: Evidence) -> Iterator[str]:
    made = Counter(t.pupil for t in e.transcripts)
    yield from (f"pupil {p} has none" for p in sorted(e.pupils - made.keys()))
    yield from (f"pupil {p} has {n}" for p, n in made.items() if n > 1)
    yield from (f"pupil {p} has one unasked" for p in sorted(made.keys() - e.pupils))


def states_differ(e: Evidence) -> Iterator[str]:
    for t in e.transcripts:
        yield from (f"{t.id} is {state} for {who}" for who, state in t.states.items() if state != LIFE[-1])


def files_differ(e: Evidence) -> Iterator[str]:
    for t in e.transcripts:
        first, *others = t.files.items()
        yield from (f"{t.id}: {who} has other files than {first[0]}" for who, digests in others if digests != first[1])


def signatures_lost(e: Evidence) -> Iterator[str]:
    """Each expected signer stands in the document, intact, and nobody else."""
    for t in e.transcripts:
        found = {(s.document, s.place): s for s in t.signatures}
        for (document, place), user in t.expected.items():
            s = found.get((document, place))
            if s is None:
                yield f"{t.id}: {place} is missing in the {document}"
            elif s.user != user:
                yield f"{t.id}: {place} in the {document} was signed by {s.user}, not {user}"
            elif not s.valid:
                yield f"{t.id}: {place} in the {document} is not intact"
        yield from (f"{t.id}: nobody asked for {p} in the {d}" for d, p in found.keys() - t.expected.keys())
        if len(t.signers) != (wanted := sum(document == "xml" for document, _ in t.expected)):
            yield f"{t.id}: records knows {len(t.signers)} signatures of {wanted}"


# nothing is signed twice


def signed_twice(e: Evidence) -> Iterator[str]:
    for t in e.transcripts:
        places = Counter((s.document, s.place) for s in t.signatures)
        yield from (f"{t.id}: {p} stands {n} times in the {d}" for (d, p), n in places.items() if n > 1)
        yield from (f"{t.id}: records has {s} by {p} {n} times" for (s, p), n in Counter(t.signers).items() if n > 1)
    done = Counter((i.transcript, i.step, i.person) for i in e.items if i.state == "embedded")
    yield from (f"{t}: {p} signed {n} times in {s}" for (t, s, p), n in done.items() if n > 1)
    confirmed: Counter[str] = Counter()
    for i in e.items:
        confirmed[i.user] = max(confirmed[i.user], i.confirmations)
    for user, hashes in e.provider.items():
        allowed = max(1, confirmed[user])
        yield from (f"{user} signed one hash {n} times, under {allowed} confirmations" for n in hashes.values() if n > allowed)


def signatures_unexplained(e: Evidence) -> Iterator[str]:
    """Every signature was asked of the provider; every value that came and is nowhere belongs to an item that says why."""
    standing: dict[str, set[str]] = defaultdict(set)
    for t in e.transcripts:
        for s in t.signatures:
            standing[s.user].add(s.hash)
            if s.hash not in e.provider.get(s.user, {}):
                yield f"{t.id}: {s.user} never signed what stands at {s.place} in the {s.document}"
    signed = {h for hashes in e.provider.values() for h in hashes}
    yield from (
        f"a certificate is registered by a proof that nobody signed: {h}" for h, used in e.challenges.items() if used and h not in signed
    )
    failed: Counter[str] = Counter()
    for i in e.items:
        if i.state == "embedded":
            continue
        failed[i.user] += i.hashes
        if not (i.code and i.reason):
            yield f"{i.transcript}: {i.step} by {i.person} is {i.state} and says no reason"
    for user, hashes in e.provider.items():
        over = len(hashes.keys() - standing[user] - e.challenges.keys())
        if over > failed[user]:
            yield f"{user} signed {over} hashes that stand nowhere; items with a reason account for {failed[user]}"


# nothing is sent twice


def sent_twice(e: Evidence) -> Iterator[str]:
    packages: dict[tuple[str, int], set[str]] = defaultdict(set)
    for r in e.results:
        if r.status != "REJECTED":
            packages[r.transcript, r.version].add(r.package)
    yield from (f"{t} version {v} came in {len(p)} packages" for (t, v), p in packages.items() if len(p) > 1)
    for package, digest in e.taken.items():
        if package not in e.packages:
            yield f"package {package} is at the gateway, but publishing knows nothing of it"
        elif e.packages[package] != digest:
            yield f"package {package} is another one at the gateway"
    yield from (f"package {p} was sent {n} times, instead of asking after it" for p, n in e.arrivals.items() if n > 1)


def not_accepted(e: Evidence) -> Iterator[str]:
    accepted = {r.transcript for r in e.results if r.status == "ACCEPTED"}
    yield from (f"{t.id} was not accepted by the gateway" for t in e.transcripts if t.id not in accepted)
    yield from (f"{p} never reached the gateway" for p in sorted(e.packages.keys() - e.taken.keys()))


def answers_differ(e: Evidence) -> Iterator[str]:
    """Where a round lets the gateway refuse: both sides say the same of each transcript, and each end was told once."""
    said = {(r.package, r.transcript): r.status for r in e.results}
    for transcript, (state, package) in e.submissions.items():
        if said.get((package, transcript)) != state:
            yield f"{transcript} is {state} for publishing and {said.get((package, transcript), 'unknown')} at the gateway"
    yield from (f"the end of {t} in {s} was told {n} times" for (t, s), n in Counter(e.answers).items() if n > 1)
    yield from (f"the end of {t} was never told" for t in sorted(e.submissions.keys() - {t for t, _ in e.answers}))


# the order is kept


def out_of_order(e: Evidence) -> Iterator[str]:
    """By subject, first arrivals: sequences grow, without a gap where every change is told; and no transcript goes back."""
    seen: set[str] = set()
    last: Counter[tuple[str, str]] = Counter()
    where: Counter[str] = Counter()
    for t in e.topics:
        if t.id in seen:
            continue
        seen.add(t.id)
        before = last[t.topic, t.subject]
        if t.sequence <= before or (t.topic in GAPLESS and t.sequence != before + 1):
            yield f"{t.topic}: {t.subject}#{t.sequence} came after #{before}"
        last[t.topic, t.subject] = t.sequence
        if t.type == "TranscriptMovedV1":
            place = LIFE.index(t.data["state"]) + 1 if t.data["state"] in LIFE else 0
            if place not in (where[t.subject], where[t.subject] + 1):
                yield f"{t.subject} went from {LIFE[where[t.subject] - 1]} to {t.data['state']}"
            where[t.subject] = place


# who did what is written down


def audit_wrong(e: Evidence) -> Iterator[str]:
    signed = Counter((t, a.step, a.actor) for a in e.acts if a.act == "sign" for t in a.subjects)
    embedded = {(i.transcript, i.step, i.person) for i in e.items if i.state == "embedded"}
    yield from (f"{t}: {p} signing in {s} is written down {signed[t, s, p]} times" for t, s, p in embedded if signed[t, s, p] != 1)
    yield from (f"{t}: {p} is said to have signed in {s}" for t, s, p in signed.keys() - embedded)
    for act, subjects in e.once.items():
        times = Counter(s for a in e.acts if a.act == act for s in a.subjects)
        yield from (f"{act} of {s} is written down {times[s]} times" for s in sorted(subjects) if times[s] != 1)
    made = sum(a.count for a in e.acts if a.act == "create")
    if made != len(e.transcripts):
        yield f"{made} transcripts are said to have been created, there are {len(e.transcripts)}"
