"""`evidence`: documents a second that get their evidence record (tree, timestamp, file made and checked), beside one timestamp each.

Both sides use the same key and certificate of a timestamping unit in this process, so neither waits for a network; one core, one
after the other. What the record adds is its bytes; what it saves is timestamps, which authorities count.
"""

from __future__ import annotations

import json
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from asn1crypto import tsp

from infra.bench.figures import Figure, Options
from infra.sandbox.common import Place
from infra.sandbox.pki.house import House, open_house
from infra.sandbox.pki.stamping import stamp
from infra.sandbox.pki.status import make_crl
from services.means.evidence_checker import check, check_timestamps, read
from services.means.evidence_records import Stamp, chain, grow, record, with_proof
from services.means.validation_data import ValidationData

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCUMENTS = 5000
PEERS = 500


def evidence(options: Options) -> Figure:
    """Raises SystemExit when a record is not believed by the checker."""
    count = options.documents or DOCUMENTS
    groups = [[sha256(b"%s %d" % (kind, number)).digest() for kind in (b"pdf", b"xml")] for number in range(count)]
    with tempfile.TemporaryDirectory() as scratch:
        house = open_house(Place(Path(scratch), "localhost", 1, "http://localhost:1"))
        lists = tuple(make_crl(house.authorities[name], house.records) for name in ("national-root", "national-ca"))
        began = time.process_time()
        made = _records(house, groups, lists)
        own = time.process_time() - began
        began = time.process_time()
        for group in groups[:PEERS]:
            _records(house, [group], lists)
        each = (time.process_time() - began) / PEERS
    sizes = sorted(len(one) for one in made)
    told = {"documents": count, "timestamps": 1, "seconds": own, "bytes_median": sizes[count // 2], "bytes_token": sizes[0]}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "bench-evidence.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    print(f"evidence: {count} documents, 1 timestamp, {sizes[count // 2]} bytes a record")
    return Figure(
        name="evidence",
        value=round(count / own, 1),
        unit=f"documents/s of processor time under one timestamp, records of {sizes[count // 2]} bytes checked",
        peer="the same with one timestamp a document, same run",
        peer_value=round(1 / each, 1),
        ratio=round(count / own * each, 1),
        command="make bench NAMES=evidence",
    )


def _records(house: House, groups: Sequence[Sequence[bytes]], lists: tuple[bytes, ...]) -> list[bytes]:
    tree = grow(groups, "sha256")
    request = tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": tree.root},
            "nonce": 7,
            "cert_req": True,
        }
    )
    token = tsp.TimeStampResp.load(stamp(request.dump(), house.stamper))["time_stamp_token"].dump()
    token = with_proof(token, ValidationData(crls=lists))
    made = [record(["sha256"], [chain("sha256", [Stamp(path, token)])]) for path in tree.paths]
    check_timestamps(read(made[0]))
    for one, group in zip(made, groups, strict=True):
        check(read(one), {"sha256": group}.__getitem__)
    return made
