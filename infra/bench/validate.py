"""`validate`: finished documents judged a second and core, PDF and XML of a transcript together, beside EU DSS without its pictures.

Processor time of the working thread on both sides, both warm. EU DSS's compiler and memory keeper run beside it and are not charged.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import subprocess
import time
from statistics import median

from infra.bench.figures import Figure, Options
from infra.bench.signed_transcripts import CASE, Desk, desk
from infra.stack.instance import write_json
from services.signing.archive import Closed
from services.signing.verify import as_issued, verify_pdf, verify_xml
from tests.interop.archived import archivist
from tests.interop.jvm import java

ROUNDS, DSS_WARM, DSS_ROUNDS = 30, 60, 20


def validate(options: Options) -> Figure:
    """Raises SystemExit when either side refuses what is right."""
    with desk() as sandbox:
        closed = asyncio.run(_closed(sandbox))
        roots, at = sandbox.roots, dt.datetime.now(dt.UTC)
        rounds = [_own(closed, roots, at) for _ in range(ROUNDS)]
        dss = _eu_dss(sandbox, closed)
    both = median(a + b for a, b in rounds)
    told = {
        "signatures": CASE.teachers + 3,
        "milliseconds": {
            "xml": round(median(a for a, _ in rounds) * 1000, 1),
            "pdf": round(median(b for _, b in rounds) * 1000, 1),
            "both": round(both * 1000, 1),
            "first_time": round(sum(rounds[0]) * 1000, 1),
            "eu_dss": round(dss * 1000, 1),
        },
    }
    (options.out / "bench").mkdir(parents=True, exist_ok=True)
    write_json(options.out / "bench" / "validate.json", told)
    print(f"validate: milliseconds a transcript (XML and PDF): {told['milliseconds']}")
    return Figure(
        name="validate",
        value=round(1 / both, 2),
        unit="finished transcripts (XML and PDF) judged/s and core",
        peer="EU DSS 6.4, warm, no visual comparison, the same files, same run",
        peer_value=round(1 / dss, 2),
        ratio=round(dss / both, 2),
        command="make bench NAMES=validate",
    )


async def _closed(sandbox: Desk) -> Closed:
    async with archivist(sandbox.tsa, sandbox.roots) as archive:
        return await archive.close(sandbox.transcript())


def _own(closed: Closed, roots: list[bytes], at: dt.datetime) -> tuple[float, float]:
    """Seconds for the XML and for the PDF."""
    began = time.thread_time()
    of_xml = as_issued(verify_xml(closed.xml, roots, [], at))
    between = time.thread_time()
    of_pdf = as_issued(verify_pdf(closed.pdf, roots, [], at))
    ended = time.thread_time()
    if not (of_xml.valid and of_pdf.valid):
        raise SystemExit(f"refused: {of_xml.problems} {of_pdf.problems}")
    return between - began, ended - between


def _eu_dss(sandbox: Desk, closed: Closed) -> float:
    """Seconds a transcript."""
    files = [sandbox.folder / "finished.xml", sandbox.folder / "finished.pdf"]
    for file, content in zip(files, (closed.xml, closed.pdf), strict=True):
        file.write_bytes(content)
    folders = [str(sandbox.folder / name) for name in ("trust", "crl")]
    command = java("TimeValidation", *folders, str(DSS_WARM), str(DSS_ROUNDS), *map(str, files))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"EU DSS: {done.stderr.strip()[-1000:]}")
    answer = json.loads(done.stdout)
    return float(answer["nanoseconds"]) / 1e9 / float(answer["rounds"])
