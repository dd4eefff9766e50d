"""The two kinds of documents that live by the same states, events and acts (decision 0022).

They stand in collections of their own, so that whatever reads transcripts can never meet a class summary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.documents import DocumentKind

COLLECTIONS: Final[Mapping[DocumentKind, str]] = {"transcript": "transcripts", "class_summary": "summaries"}


def kind_of(document: Mapping[str, Any]) -> DocumentKind:
    """A transcript says nothing of its kind."""
    kind: DocumentKind = document.get("kind", "transcript")
    return kind


def told_kind(kind: DocumentKind) -> dict[str, str]:
    """What an audit entry says of the kind: nothing of transcripts, which are the rule."""
    return {} if kind == "transcript" else {"kind": kind}


def name_of(document: Mapping[str, Any]) -> str:
    """Of the pupil; a class summary goes by its class."""
    return f"Bảng tổng hợp lớp {document['class_code']}" if kind_of(document) == "class_summary" else str(document["pupil_name"])


def title_of(document: Mapping[str, Any]) -> str:
    return name_of(document) if kind_of(document) == "class_summary" else f"{document['pupil_name']} – lớp {document['class_code']}"


def address_of(document: Mapping[str, Any]) -> str:
    """Of the page that shows it."""
    return f"/ui/records/{COLLECTIONS[kind_of(document)]}/{document['_id']}"
