"""`python -m services.identity.bootstrap`: the root of the oversight tree and its first officer.

May be repeated; the officer's one-time password is made once, or again with --reset. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from services.chassis import outbox
from services.chassis.mongo import connect
from services.chassis.settings import Settings
from services.identity import store
from services.identity.accounts.passwords import Hashing
from services.identity.accounts.sign_in import Door
from services.identity.organisations import places
from services.identity.organisations.places import Named

ACTOR = "bootstrap"


async def bootstrap(settings: Settings, unit: str, name: str, officer: Named, *, reset: bool) -> dict[str, str | None]:
    """Raises Refused when the codes belong to something else already."""
    async with connect(settings, "identity") as db:
        await outbox.ensure_indexes(db)
        await store.ensure_indexes(db)
        door = Door(db, Hashing(), asyncio.sleep)
        _, issued = await places.put_unit(door, unit, name=name, parent=None, officer=officer, reset=reset, actor=ACTOR, request_id=None)
    assert issued is not None
    return {"unit": unit, "person": issued.person, "username": issued.username, "one_time_password": issued.one_time_password}


def main() -> None:
    parser = argparse.ArgumentParser(prog="services.identity.bootstrap", description=__doc__)
    parser.add_argument("--unit", required=True, metavar="CODE")
    parser.add_argument("--name", required=True)
    parser.add_argument("--officer", required=True, metavar="CODE")
    parser.add_argument("--officer-name", required=True)
    parser.add_argument("--reset", action="store_true", help="a new one-time password although the officer has one")
    options = parser.parse_args()
    officer = Named(options.officer, options.officer_name)
    # every required setting comes from the environment
    settings = Settings()
    made = asyncio.run(bootstrap(settings, options.unit, options.name, officer, reset=options.reset))
    sys.stdout.write(json.dumps(made, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
