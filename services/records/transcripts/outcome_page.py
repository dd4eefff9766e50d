"""What an act on many transcripts did: a notice when all went well, else a page that says of each refused one why."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response

from contracts.nouns import NOUNS, worded
from services.chassis.vietnamese import given_name_key
from services.chassis.web.lists import done, ordered, reworded
from services.chassis.web.look import render
from services.records.cancellation import store as queries
from services.records.documents import address_of, name_of
from services.records.page_parts import CATALOGUE, framed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.documents import DocumentKind
    from services.records.transcripts.reading import Reading

SHOWN = 200


async def told(
    request: Request,
    looked_at: Reading,
    outcome: Mapping[str, Any],
    *,
    did: str,
    title: str,
    done_text: str,
    back: str,
    kind: DocumentKind = "transcript",
) -> Response:
    """`outcome` is what `deciding.each` answers, `did` the notice's key on the page `back`."""
    if not outcome["refused"]:
        return done(back, did, outcome["done"])
    found = await queries.named(looked_at.store.db, looked_at.school, [r["transcript"] for r in outcome["refused"]], kind)
    catalogue, noun = reworded(CATALOGUE, partial(worded, kind)), NOUNS[kind]
    rows = [
        {
            "name": name_of(found[r["transcript"]]) if r["transcript"] in found else f"{noun.capitalize()} không tìm thấy",
            "class_name": found[r["transcript"]]["class_code"] if r["transcript"] in found else "",
            "href": address_of(found[r["transcript"]]) if r["transcript"] in found else "",
            "title": catalogue[r["code"]].title if r["code"] in catalogue else "",
            "cause": r["reason"],
            "action": r["action"],
            "code": r["code"],
        }
        for r in outcome["refused"]
    ]
    context = {
        "shell": await framed(request, looked_at.who, looked_at),
        "title": title,
        "noun": noun,
        "done": outcome["done"],
        "failed": len(rows),
        "done_text": done_text,
        "back": back,
        "rows": ordered(rows, {}, {"class": lambda r: (r["class_name"], given_name_key(r["name"]))})[:SHOWN],
    }
    return render(request.app.state.pages, request, "records/outcome.html", context)
