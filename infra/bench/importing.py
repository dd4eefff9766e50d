"""A school of 2,000 pupils imported: workbooks uploaded, read and checked, compared with what is stored, and written.

Asked over HTTP as the gateway asks, on stores of its own. The peer is openpyxl alone, reading every cell of the same workbooks.
"""

from __future__ import annotations

import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from openpyxl import load_workbook

from contracts.access import Principal, Role
from infra.bench.figures import Figure, Options
from infra.local import down, up_detached
from infra.stack.instance import write_json
from services.chassis.access import TokenMaker

PUPILS = 2000
IN_CLASS = 39
GRADES = 4
CODE = "31300073"
ROOT = Path(__file__).resolve().parents[2]
FILES = "*.xlsx"


class Failed(RuntimeError):
    """An answer that is not the expected one."""


def importing(options: Options) -> Figure:
    """Starts the instance anew and stops it. Raises Failed when the school is not imported as a whole."""
    folder = _school(options.out / "bench" / "import-school")
    down(options.instance)
    info = up_detached(options.instance, only=("records-web",), fresh=True)
    try:
        seconds = _imported(info, folder)
    finally:
        down(options.instance)
    peer = _read_by_openpyxl(folder)
    total = sum(seconds.values())
    write_json(options.out / "bench" / "import.json", {"seconds": seconds, "peer_seconds": peer})
    return Figure(
        name="import",
        value=round(total, 2),
        unit=f"seconds for a school of {PUPILS} pupils: read, checked, compared, written",
        peer="openpyxl alone, reading the same workbooks",
        peer_value=round(peer, 2),
        ratio=round(total / peer, 2),
        command="make bench NAMES=import",
    )


def _school(folder: Path) -> Path:
    """A lower secondary school: the results of one pupil there are some seventy cells."""
    parallel = math.ceil(PUPILS / (GRADES * IN_CLASS))
    command = [sys.executable, str(ROOT / "samples" / "make_school.py"), "--level", "THCS", "--out", str(folder), "--defects", "0"]
    command += ["--code", CODE, "--classes-per-grade", str(parallel), "--pupils", str(IN_CLASS)]
    for old in folder.glob("ket_qua/*.xlsx"):
        old.unlink()
    subprocess.run(command, check=True, capture_output=True)
    return folder


def _imported(info: dict[str, Any], folder: Path) -> dict[str, float]:
    """Seconds of each step: the preview of a school that is not there yet, its writing, and the same files once more."""
    tokens = TokenMaker(Path(info["secrets"]["token-signing.jwk"]))
    roles = frozenset({Role.ADMINISTRATOR})
    administrator = Principal(person=f"{CODE}003", name="Quản trị viên", roles=roles, school=CODE, level="THCS")
    files = [("files", (str(path.relative_to(folder)), path.read_bytes())) for path in sorted(folder.rglob(FILES))]
    with httpx.Client(base_url=info["services"]["records"]["web"], timeout=300, trust_env=False) as client:

        def ask(path: str, **more: Any) -> dict[str, Any]:
            answer = client.post(path, headers={"Authorization": f"Bearer {tokens.make(administrator)}"}, **more)
            if not answer.is_success:
                raise Failed(f"{path} answered {answer.status_code}: {answer.text[:500]}")
            told: dict[str, Any] = answer.json()
            return told

        started = time.perf_counter()
        seen = ask("/api/records/imports", files=files)
        previewed = time.perf_counter()
        written = ask(f"/api/records/imports/{seen['id']}/confirm")
        confirmed = time.perf_counter()
        again = ask("/api/records/imports", files=files)
    if written["state"] != "confirmed" or written["counts"]["complete"] < PUPILS or again["changes"]:
        raise Failed(f"{written['counts']}, then {again['changes']} changes")
    return {"preview": round(previewed - started, 2), "writing": round(confirmed - previewed, 2)}


def _read_by_openpyxl(folder: Path) -> float:
    started = time.perf_counter()
    for path in sorted(folder.rglob(FILES)):
        book = load_workbook(path, read_only=True)
        for sheet in book.worksheets:
            for row in sheet.iter_rows(values_only=True):
                tuple(row)
        book.close()
    return time.perf_counter() - started
