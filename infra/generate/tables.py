"""Tables for people: the error catalogue and the rights."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.access import BRANCH, CONFIRMED, CONFIRMED_FOR, OWN_PART, SECOND_FACTOR, WHOLE_SCHOOL, Action, Role
from contracts.menu import ROLE_NAMES
from infra.generate import GENERATED_BY, ROOT, SERVICES
from services.chassis.errors import Refusal
from services.records.imports import findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLUMNS = ("Code", "HTTP", "Title", "Cause", "What to do", "Detail (API)")


def catalogues() -> dict[str, list[Refusal]]:
    """Module → the refusals that stand in it: every `errors.py` of the chassis and the services."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for part in ("chassis", *SERVICES)
        for path in sorted((ROOT / "services" / part).rglob("errors.py"))
    ]
    return {name: [v for v in vars(importlib.import_module(name)).values() if isinstance(v, Refusal)] for name in modules}


def import_findings() -> list[findings.Code]:
    return [value for value in vars(findings).values() if isinstance(value, findings.Code)]


def errors_page() -> str:
    parts = [
        "# Errors",
        f"{GENERATED_BY} Source: `errors.py` of the chassis and of each service, and `services/records/imports/findings.py`.",
        "An answer with a refusal is a problem of RFC 9457 (`application/problem+json`) with `code`, `title`, `status`, `cause`, "
        "`action`, `detail` and `request_id`; a page shows the same in Vietnamese. `{…}` is filled in when it happens. "
        "The gateway's own answers (`HB-GW-…`) stand in `docs/architecture/stack.md`.",
    ]
    for module, refusals in catalogues().items():
        rows = [(f"`{r.code}`", str(r.status), r.title, r.cause, r.action, r.detail) for r in sorted(refusals, key=lambda r: r.code)]
        parts += [f"## {Path(*module.split('.')).parent.name}", _table(COLUMNS, rows)]
    found = [(f"`{c.code}`", c.severity, c.action_vi) for c in import_findings()]
    parts += [
        "## Findings of an import",
        "Shown in the preview with file, sheet, row and column. An error leaves out the pupil or, where the school's data cannot "
        "be read, stops the import; a warning does neither.",
        _table(("Code", "Severity", "What to do"), found),
    ]
    return "\n\n".join(parts) + "\n"


def access_page() -> str:
    roles = list(Role)
    rows = [
        (f"`{action.value}`", *(", ".join(_scopes(role, action)) or "–" for role in roles), "yes" if action in CONFIRMED else "–")
        for action in Action
    ]
    parts = [
        "# Access",
        f"{GENERATED_BY} Source: `contracts/access.py`.",
        "Rights are role × scope; what stands here as – is denied. `services.chassis.access.require` asks the table in every entry, "
        "with the school, the assignment and the oversight path of the thing asked for. The state of the thing is the rules' business.",
        _table(("Action", *(f"`{r.value}`" for r in roles), "Confirmed anew"), rows),
        f"Confirmed anew: to do it, not to look at it, the person must have proved within the last {CONFIRMED_FOR // 60} minutes who "
        "they are (`services.chassis.access.require_fresh`). Every route with everybody who may: [access-matrix.md](access-matrix.md).",
        "Scopes:\n\n"
        "- **school**: everything of the actor's school.\n"
        "- **own class**: only what the actor is assigned to; the service that knows the assignment says so with `own=True`.\n"
        "- **branch**: the actor's oversight unit and everything below it.",
        "Roles:",
        _table(
            ("Role", "In the guides' words", "Second factor"),
            [(f"`{r.value}`", ROLE_NAMES[r], "required" if r in SECOND_FACTOR else "optional") for r in roles],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _scopes(role: Role, action: Action) -> Iterable[str]:
    for scope, table in (("school", WHOLE_SCHOOL), ("own class", OWN_PART), ("branch", BRANCH)):
        if role in table.get(action, frozenset()):
            yield scope


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines)


def files() -> dict[str, str]:
    return {"docs/errors.md": errors_page(), "docs/architecture/access.md": access_page()}
