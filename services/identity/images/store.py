"""The pictures of seals and signatures: kept by digest in the object store, their history in the database.

images: one document for each school's seal and each person's signature, with every version that was saved. A version knows the
original that it was made from and how, so a picture is always edited from its original.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from contracts.access import Action
from contracts.documents import DocumentRef
from contracts.events.identity import SealImageChangedV1, SignatureImageChangedV1
from services.chassis import audit, clock
from services.chassis.access import require
from services.chassis.aggregates import Change, save
from services.chassis.errors import NOT_FOUND, Refused
from services.chassis.mongo import transaction
from services.identity.errors import (
    ANIMATED_IMAGE,
    BAD_CROP,
    DAMAGED_IMAGE,
    HIDDEN_CONTENT,
    IMAGE_BOMB,
    IMAGE_DIMENSIONS,
    IMAGE_TOO_LARGE,
    NO_IMAGE,
    NO_INK,
    NOT_PNG,
)
from services.identity.images import pixels
from services.identity.images.pixels import AS_IS, Edit, Picture
from services.identity.images.png import BadImage
from services.identity.store import one

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.access import Principal
    from services.chassis.errors import Refusal
    from services.chassis.mongo import Database, Document, Session
    from services.chassis.objects import Objects
    from services.chassis.work import Pool
    from services.identity.images.png import Flaw

Kind = Literal["seal", "signature"]
R = TypeVar("R")

MOST_VERSIONS: Final = 100
"""Older ones leave the history; what they were stays in the audit trail and in the object store."""
RIGHTS: Final[dict[Kind, Action]] = {"seal": Action.REGISTER_SCHOOL_CERTIFICATE, "signature": Action.REGISTER_SIGNING_ACCOUNT}
REFUSALS: Final[dict[Flaw, Refusal]] = {
    "too_large": IMAGE_TOO_LARGE,
    "not_png": NOT_PNG,
    "damaged": DAMAGED_IMAGE,
    "dimensions": IMAGE_DIMENSIONS,
    "bomb": IMAGE_BOMB,
    "hidden": HIDDEN_CONTENT,
    "animated": ANIMATED_IMAGE,
    "no_ink": NO_INK,
    "crop": BAD_CROP,
}


@dataclass(frozen=True)
class Place:
    """Whose picture it is."""

    kind: Kind
    school: str
    owner: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.owner}"


def own_place(who: Principal, kind: Kind) -> Place:
    """The seal of the own school or the own signature. Raises Refused(FORBIDDEN)."""
    school = who.school or ""
    require(who, RIGHTS[kind], school=school)
    return Place(kind, school, school if kind == "seal" else who.person)


@dataclass(frozen=True)
class Images:
    db: Database
    objects: Objects
    pool: Pool

    async def upload(self, who: Principal, place: Place, content: bytes, *, request_id: str) -> Document:
        """The picture as it was uploaded, in use at once. Raises Refused for every picture that is not fit."""
        picture = await self._work(pixels.original, content)
        ref = await self._put(picture)
        return await self._add(who, place, _version(ref, ref, picture, AS_IS), act="image uploaded", request_id=request_id)

    async def edit(self, who: Principal, place: Place, edit: Edit, *, request_id: str) -> Document:
        """A new version from the original of the present one. Raises Refused: NO_IMAGE, NO_INK, BAD_CROP."""
        original = await self.original(place)
        picture = await self._work(pixels.edited, await self.objects.get(original), edit)
        version = _version(original, await self._put(picture), picture, edit)
        return await self._add(who, place, version, act="image edited", request_id=request_id)

    async def restore(self, who: Principal, place: Place, number: int | None, *, request_id: str) -> Document:
        """Use an earlier version again: the named one, or the one before the present. Raises Refused(NO_IMAGE) when there is none."""

        async def work(session: Session) -> Document:
            document = await one(self.db, "images", place.key, session)
            wanted = _earlier(document, number)
            assert document is not None
            if wanted["number"] == document["current"]:
                return document
            return await self._use(session, who, place, document, wanted, act="image restored", request_id=request_id)

        return await transaction(self.db, work)

    async def original(self, place: Place) -> DocumentRef:
        """What the present picture was made from. Raises Refused(NO_IMAGE)."""
        version = current(await one(self.db, "images", place.key))
        if version is None:
            raise Refused(NO_IMAGE)
        return DocumentRef.model_validate(version["original"])

    async def preview(self, place: Place, edit: Edit) -> bytes:
        """The edited picture on a chequered ground. Raises as `edit`."""
        return await self._work(pixels.preview, await self.objects.get(await self.original(place)), edit)

    async def sample(self, place: Place, edit: Edit | None, *, sealed: bool) -> bytes:
        """A sample of a signed page with the present picture, or with what `edit` would make of it; a signature with the school's
        seal when it is `sealed` and there is one. Raises as `edit`.
        """
        version = current(await one(self.db, "images", place.key))
        if version is None:
            raise Refused(NO_IMAGE)
        content = await self.objects.get(DocumentRef.model_validate(version["original" if edit else "picture"]))
        if place.kind == "seal":
            return await self._work(pixels.sample_of_seal, content, edit or AS_IS)
        stamp = current(await one(self.db, "images", f"seal:{place.school}")) if sealed else None
        seal = await self.objects.get(DocumentRef.model_validate(stamp["picture"])) if stamp else None
        return await self._work(pixels.sample_of_signature, content, edit or AS_IS, seal)

    async def content(self, place: Place, sha256: str) -> bytes:
        """A picture of the place's history by its digest. Raises Refused(NOT_FOUND)."""
        document = await one(self.db, "images", place.key)
        for version in document["versions"] if document else ():
            if version["picture"]["sha256"] == sha256:
                return await self.objects.get(DocumentRef.model_validate(version["picture"]))
        raise Refused(NOT_FOUND)

    async def _add(self, who: Principal, place: Place, version: Document, *, act: str, request_id: str) -> Document:
        async def work(session: Session) -> Document:
            document = await one(self.db, "images", place.key, session)
            before = current(document)
            if document is not None and before is not None and all(before[key] == version[key] for key in version):
                return document
            if document is None:
                document = {"_id": place.key, "kind": place.kind, "school": place.school, "owner": place.owner, "versions": []}
            number = max((v["number"] for v in document["versions"]), default=0) + 1
            added = {"number": number, "at": clock.now(), "by": who.person, **version}
            after = {**document, "versions": [*document["versions"], added][-MOST_VERSIONS:]}
            return await self._use(session, who, place, after, added, act=act, request_id=request_id)

        return await transaction(self.db, work)

    async def _use(
        self, session: Session, who: Principal, place: Place, document: Document, version: Document, *, act: str, request_id: str
    ) -> Document:
        before = document.get("current")
        after = {**document, "current": version["number"]}
        image = DocumentRef.model_validate(version["picture"])
        fact = (
            SealImageChangedV1(school=place.school, image=image)
            if place.kind == "seal"
            else SignatureImageChangedV1(school=place.school, person=place.owner, image=image)
        )
        await save(self.db, session, "images", [Change(after, fact)], actor=who.person, cause=request_id)
        details = {"kind": place.kind, "before": before, "after": version["number"], "sha256": image.sha256}
        await audit.record(
            self.db, session, actor=who.person, act=act, subject=place.owner, place=place.school, request_id=request_id, details=details
        )
        return after

    async def _put(self, picture: Picture) -> DocumentRef:
        return await self.objects.put("images", ".png", picture.content, "image/png")

    async def _work(self, work: Callable[..., R], *arguments: object) -> R:
        try:
            return await self.pool.run(work, *arguments)
        except BadImage as bad:
            raise Refused(REFUSALS[bad.flaw], words=bad.words) from bad


def current(document: Document | None) -> Document | None:
    """The version in use."""
    return None if document is None else next((v for v in document["versions"] if v["number"] == document["current"]), None)


def edit_of(version: Document) -> Edit:
    """How the version was made."""
    made: dict[str, Any] = version["edit"]
    return Edit(made["background"], made["threshold"], made["crop"], tuple(made["trims"]) if made["trims"] else None)


def _earlier(document: Document | None, number: int | None) -> Document:
    now = current(document)
    if document is None or now is None:
        raise Refused(NO_IMAGE)
    versions: list[Document] = document["versions"]
    fitting = [v for v in versions if (v["number"] < now["number"] if number is None else v["number"] == number)]
    if not fitting:
        raise Refused(NO_IMAGE)
    return fitting[-1]


def _version(original: DocumentRef, picture: DocumentRef, made: Picture, edit: Edit) -> Document:
    return {
        "original": original.model_dump(mode="json"),
        "picture": picture.model_dump(mode="json"),
        "width": made.width,
        "height": made.height,
        "edit": {**asdict(edit), "trims": list(edit.trims) if edit.trims else None},
    }
