"""`render`: finished documents (XML, its validation, PDF) a second and core, beside WeasyPrint printing the same form from HTML.

Both sides are held on one core, in processes of their own, one after the other. WeasyPrint gets the words of the form as HTML and
nothing else to do: no XML, no attachment, no signature fields. Memory is looked at all along: it has to be flat.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from infra.bench.figures import Figure, Options

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = 400
PEER_DOCUMENTS = 12
FLAT = 1.1
"""Memory at the end over memory after a tenth of the documents: what is above it leaks."""


def render(options: Options) -> Figure:
    """Raises SystemExit when memory grows from document to document."""
    own = _worker("own", options.documents or DOCUMENTS)
    peer = _worker("weasyprint", PEER_DOCUMENTS)
    grown = own["rss_mb"][-1] / own["rss_mb"][0]
    told = {"own": own, "peer": peer, "grown": round(grown, 3)}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "bench-render.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    print(f"render: {own['documents']} documents, memory {own['rss_mb'][0]:.0f} to {own['rss_mb'][-1]:.0f} MB; by part: {own['parts']}")
    if grown > FLAT:
        raise SystemExit(f"memory grew by {grown - 1:.0%} over {own['documents']} documents")
    return Figure(
        name="render",
        value=round(own["documents"] / own["seconds"], 2),
        unit="documents/s and core",
        peer=f"WeasyPrint {peer['version']}, the same form as HTML, PDF/A-3b, one core, same run",
        peer_value=round(peer["documents"] / peer["seconds"], 3),
        ratio=round((own["documents"] / own["seconds"]) / (peer["documents"] / peer["seconds"]), 1),
        command="make bench NAMES=render",
    )


def _worker(side: str, documents: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "infra.bench.render_worker", side, str(documents)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{side}: {done.stderr.strip()[-1000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
