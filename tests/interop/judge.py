"""Judges the documents of a run with EU DSS and veraPDF alone.

    python -m tests.interop.judge --documents OUT/documents --trust OUT/trust [--archived]

Status 0 only if there are documents, each carries a signature, every signature is TOTAL_PASSED, every PDF is PDF/A-3b, and, when
asked for, each document is at the archive level; 1 if not; 2 if a validator cannot work.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.interop.oracles import OracleError, Signature, Verdict, dss, verapdf

SHOWN = 20


@dataclass(frozen=True)
class Judgement:
    signatures: dict[Path, list[Signature]]
    archival: dict[Path, Verdict]

    def faults(self, *, archived: bool = False) -> list[str]:
        """One line for each thing that keeps the run from passing."""
        if not self.signatures:
            return ["no *.pdf or *.xml documents"]
        found = []
        for file, signatures in self.signatures.items():
            if not signatures:
                found.append(f"{file.name}: no signature")
            for one in signatures:
                if not one.passed:
                    why = "; ".join(one.errors) or one.sub_indication or ""
                    found.append(f"{file.name}: {one.signed_by or one.id}: {one.indication} {one.sub_indication or ''}: {why}")
            if archived:
                # in XML the last signature, the school's, covers the others and carries the archive timestamp
                at_stake = signatures if file.suffix == ".pdf" else signatures[-1:]
                found += [f"{file.name}: {s.id}: {s.format}, not LTA" for s in at_stake if not (s.format or "").endswith("-LTA")]
                # a signature passes without its timestamps as long as its certificate lasts
                stamps = {t for s in signatures for t in s.timestamps}
                found += [f"{file.name}: timestamp of {t.produced_by}: {t.indication}" for t in stamps if t.indication != "PASSED"]
        found += [f"{file.name}: not PDF/A-3b: {'; '.join(one.failures)}" for file, one in self.archival.items() if not one.compliant]
        return found


def judge(documents: Path, trust: Path) -> Judgement:
    """Every *.pdf and *.xml directly in `documents`; roots (*.pem) and revocation lists (*.crl) anywhere below `trust`."""
    files = sorted(file for file in documents.iterdir() if file.suffix in {".pdf", ".xml"})
    return Judgement(dss(files, trust, trust, strict=True), verapdf(file for file in files if file.suffix == ".pdf"))


def table(judgement: Judgement) -> str:
    """How many signatures met which judgement, and how many documents are archival."""
    counted = Counter(
        (file.suffix[1:], one.format or "-", one.indication, one.sub_indication or "")
        for file, signatures in judgement.signatures.items()
        for one in signatures
    )
    rows = [("file", "format", "judgement", "reason", "signatures")]
    rows += [(*key, str(number)) for key, number in sorted(counted.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    compliant = sum(one.compliant for one in judgement.archival.values())
    lines.append(f"documents: {len(judgement.signatures)}; PDF/A-3b: {compliant} of {len(judgement.archival)}")
    warnings = Counter(text for signatures in judgement.signatures.values() for one in signatures for text in one.warnings)
    lines += [f"warning x{number}: {text}" for text, number in warnings.most_common()]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.interop.judge", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--documents", type=Path, required=True, help="folder of *.pdf and *.xml")
    parser.add_argument("--trust", type=Path, required=True, help="folder with roots (*.pem) and lists (*.crl) anywhere below")
    parser.add_argument("--archived", action="store_true", help="documents below the archive level do not pass")
    chosen = parser.parse_args(arguments)
    for folder in (chosen.documents, chosen.trust):
        if not folder.is_dir():
            parser.error(f"{folder} is not a folder")
    try:
        judgement = judge(chosen.documents, chosen.trust)
    except OracleError as broken:
        sys.stderr.write(f"{broken}\n")
        return 2
    faults = judgement.faults(archived=chosen.archived)
    sys.stdout.write(table(judgement) + "\n")
    for line in faults[:SHOWN]:
        sys.stdout.write(f"FAULT {line}\n")
    if len(faults) > SHOWN:
        sys.stdout.write(f"... and {len(faults) - SHOWN} more\n")
    sys.stdout.write("FAILED\n" if faults else "PASSED\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
