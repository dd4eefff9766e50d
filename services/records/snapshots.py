"""What records republishes for those who rebuild a read model: classes, transcripts and class summaries as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.events.records import ClassesToldV1, ClassImportedV1, TranscriptsToldV1
from services.chassis.snapshots import Snapshots, Source
from services.records.documents import COLLECTIONS
from services.records.whereabouts import NEEDED, whereabouts

if TYPE_CHECKING:
    from services.chassis.mongo import Document


def class_told(document: Document) -> ClassImportedV1:
    return ClassImportedV1(
        school=document["school"],
        year=document["year"],
        code=document["code"],
        name=document["data"]["name"],
        grade=document["data"]["grade"],
        pupils=document["pupils"],
        refused=document["refused"],
    )


CLASSES = Snapshots((Source("classes", class_told),), ClassesToldV1)
TRANSCRIPTS = Snapshots(
    tuple(Source(collection, whereabouts, NEEDED, together="school") for collection in COLLECTIONS.values()), TranscriptsToldV1
)
