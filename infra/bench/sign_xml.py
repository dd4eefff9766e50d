"""`sign.xml`: XML signatures a second and core around a key that is elsewhere, beside EU DSS and signxml.

The same document gets four signatures, one after the other: three over the content, the last one over the whole. Preparing, checking
the returned value and embedding count; the private key's work does not. Processor time of the working thread: EU DSS's compiler and
memory keeper, which run beside it, are not charged, and its machine is warm. signxml gets a stub for the key and checks no value.
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from infra.bench.figures import Figure, Options
from infra.bench.signed_transcripts import content_xml
from infra.stack.instance import write_json
from services.means.x509 import load
from services.signing import xml
from services.signing.steps.kind import values_before
from tests.interop.jvm import java
from tests.unit.signing import by_signxml
from tests.unit.signing.pki import Party, party

PLACES = ("GVBM-1", "GVCN", "CBQL", "KY_PHAT_HANH")
ROLE = "Giáo viên chủ nhiệm"
ROUNDS, SIGNXML_ROUNDS, DSS_ROUNDS, DSS_WARM = 400, 40, 150, 500
REPEATS = 5
AT = dt.datetime(2026, 5, 30, 2, 0, tzinfo=dt.UTC)
"""The test certificates are valid then; neither side looks at the calendar."""


@dataclass
class Clock:
    """Processor seconds of this thread inside `with clock:`."""

    spent: float = 0.0
    began: float = 0.0

    def __enter__(self) -> None:
        self.began = time.thread_time()

    def __exit__(self, *_: object) -> None:
        self.spent += time.thread_time() - self.began


def sign_xml(options: Options) -> Figure:
    """Raises OracleError when EU DSS cannot be run."""
    document = content_xml()
    people = [party(f"Người ký {number}") for number in range(len(PLACES))]
    signed = own(document, people, Clock())
    ours = median(_rate(own, document, people, ROUNDS) for _ in range(REPEATS))
    by_library = _rate(signxml, document, people, SIGNXML_ROUNDS)
    dss = eu_dss(document, people)
    told = {
        "own": round(ours),
        "eu_dss": round(dss, 1),
        "signxml": round(by_library, 1),
        "times_signxml": round(ours / by_library, 1),
        "document_bytes": len(document),
        "bytes_a_signature": round((len(signed) - len(document)) / len(PLACES)),
    }
    (options.out / "bench").mkdir(parents=True, exist_ok=True)
    write_json(options.out / "bench" / "sign.xml.json", told)
    print(
        f"sign.xml: signxml with a stub key {by_library:.0f}, ratio {ours / by_library:.1f}; {told['bytes_a_signature']} bytes a signature"
    )
    return Figure(
        name="sign.xml",
        value=round(ours),
        unit="signatures/s and core",
        peer="EU DSS 6.4 XAdES, warm, same document and number of signatures, key elsewhere, same run",
        peer_value=round(dss, 1),
        ratio=round(ours / dss, 1),
        command="make bench NAMES=sign.xml",
    )


def own(document: bytes, people: list[Party], clock: Clock) -> bytes:
    for number, (place, who) in enumerate(zip(PLACES, people, strict=True)):
        covers = xml.WHOLE if number == len(PLACES) - 1 else values_before(PLACES[:number])
        with clock:
            prepared = xml.prepare(
                document, signature_id=place, covers=covers, certificate=who.der, chain=who.chain, signed_at=AT, role=ROLE
            )
        value = who.sign(prepared.digest)
        with clock:
            document = xml.assemble(document, [xml.finish(prepared, value, who.der)])
    return document


def signxml(document: bytes, people: list[Party], clock: Clock) -> bytes:
    for number, (place, who) in enumerate(zip(PLACES, people, strict=True)):
        covers = xml.WHOLE if number == len(PLACES) - 1 else values_before(PLACES[:number])
        with clock:
            signature, _digest = by_signxml.prepare(
                document, signature_id=place, covers=covers, certificate=who.der, chain=who.chain, signed_at=AT, role=ROLE
            )
        document = xml.assemble(document, [signature])
    return document


def _rate(work: Callable[[bytes, list[Party], Clock], bytes], document: bytes, people: list[Party], rounds: int) -> float:
    clock = Clock()
    for _ in range(rounds):
        work(document, people, clock)
    return rounds * len(PLACES) / clock.spent


def eu_dss(document: bytes, people: list[Party]) -> float:
    """Signatures a second of processor time in a warm virtual machine."""
    with TemporaryDirectory(prefix="hocba-bench-") as place:
        folder = Path(place)
        (folder / "document.xml").write_bytes(document)
        for number, who in enumerate(people):
            (folder / f"{number}.key").write_bytes(who.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
            (folder / f"{number}.crt").write_bytes(load(who.der).public_bytes(Encoding.DER))
            (folder / "ca.crt").write_bytes(who.chain[0])
        done = subprocess.run(java("SignXml", place, str(DSS_WARM), str(DSS_ROUNDS)), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"EU DSS: {done.stderr.strip()[-1000:]}")
        answer = json.loads(done.stdout)
        return float(answer["signatures"]) / (float(answer["nanoseconds"]) / 1e9)
