"""What signing knows that a stored document must be: who signed it, in which order, with which certificate. Plain data."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from services.signing.steps import STEPS
from services.signing.tasks import DONE, SEALING, signers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.chassis.mongo import Document

CLOCKS_DIFFER = dt.timedelta(minutes=1)


class ExpectedSignature(BaseModel):
    """`place` is the Id in the XML, `field` the field of the PDF for those who sign it.

    `approved`: SHA-256 of every certificate of the signer that was approved when it was made.
    """

    model_config = ConfigDict(frozen=True)

    place: str
    step: str
    field: str | None
    serial: str
    signed_at: dt.datetime
    approved: frozenset[str]


class Expected(BaseModel):
    """`document` is the id that stands in the content. `sealed`: both files are at the archive level.

    `skipped`: a step was passed although somebody of it has not signed.
    """

    model_config = ConfigDict(frozen=True)

    document: str
    signatures: tuple[ExpectedSignature, ...]
    sealed: bool
    skipped: bool = False
    in_order: bool = True

    @property
    def in_pdf(self) -> tuple[ExpectedSignature, ...]:
        return tuple(one for one in self.signatures if one.field is not None)


def expected_of(task: Mapping[str, Any], approvals: Sequence[Document]) -> Expected:
    """`approvals` are those of all its signers: {owner, sha256, since, ended: {known_at} | None}."""
    made = [_signature(task, each, approvals) for each in task["signatures"]]
    names = [step["name"] for step in task["steps"]]
    places = [names.index(one.step) for one in made]
    last = max(places, default=0)
    due = [*names[:last], *(["issue"] if task["step"] in (SEALING, DONE) else [])]
    signed = {(each["step"], each["person"]) for each in task["signatures"]}
    wanted = [(step, signer["person"]) for step in due for signer in signers_of(dict(task), step)]
    issued = any(one.step == "issue" for one in made)
    return Expected(
        document=task["_id"],
        signatures=tuple(made),
        # a request is of use until it is decided: it is not brought to the archive level
        sealed=task["step"] == DONE and task.get("kind") != "withdrawal_request",
        skipped=not signed.issuperset(wanted) or ("issue" in due and not issued),
        in_order=places == sorted(places),
    )


def owner_of(task: Mapping[str, Any], signature: Mapping[str, Any]) -> tuple[str, str]:
    """Whose certificate a step is signed with: the school's own for the last one. (kind, owner)"""
    return ("school", task["school"]) if signature["step"] == "issue" else ("person", signature["person"])


def _signature(task: Mapping[str, Any], made: Mapping[str, Any], approvals: Sequence[Document]) -> ExpectedSignature:
    kind, owner = owner_of(task, made)
    at = dt.datetime.fromisoformat(made["signed_at"])
    fitting = [a["sha256"] for a in approvals if a["owner"] == f"{kind}:{owner}" and _stood(a, at)]
    return ExpectedSignature(
        place=made["id"],
        step=made["step"],
        field=STEPS[made["step"]].pdf_field,
        serial=made["certificate_serial"],
        signed_at=at,
        approved=frozenset(fitting),
    )


def _stood(approval: Document, at: dt.datetime) -> bool:
    """Whether it was approved at that moment as far as signing could know: of an end it learns a little later."""
    ended = approval.get("ended")
    known: bool = approval["since"] <= at + CLOCKS_DIFFER
    return known and (ended is None or ended["known_at"] >= at - CLOCKS_DIFFER)
