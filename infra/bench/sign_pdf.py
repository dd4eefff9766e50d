"""`sign.pdf`: PDF signatures a second and core with the key elsewhere, beside EU DSS and pyHanko's own signer, each at its best.

The same transcript, four signatures one after the other in fields that the rendering placed; no picture, no timestamps. What counts is
the processor time of preparing, of checking the returned value (we alone do that) and of embedding it; the key's own time does not.
Each side runs in a process of its own on one core, warmed up, and its last document is read by pyHanko before its figure counts.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from infra.bench.figures import Figure, Options
from infra.bench.java import PROJECT, classpath
from infra.bench.render_school import bench_content
from infra.bench.render_worker import signatures
from services.records.render import pdf as forms
from services.records.render.fields import A4, Panel
from services.records.render.form import form
from services.records.render.xml import transcript_xml

ROOT = Path(__file__).resolve().parents[2]
FIELDS = ("GVCN", "CBQL", "KY_PHAT_HANH", "KY_THU_TU")
ROUNDS = {"own": 250, "dss": 40, "pyhanko": 12}
WARM_DSS = 100
DSS_ROOM = 4096
"""Bytes that are kept for the message: tuned to what is needed, instead of EU DSS's usual 9,472."""
FOURTH = Panel(FIELDS[3], "Chữ ký số thứ tư", 30.0, 238.0, 70.0, 20.0)


def sign_pdf(options: Options) -> Figure:
    """Raises SystemExit when a side cannot be built, or what it signed is not intact."""
    with tempfile.TemporaryDirectory(prefix="hocba-bench-") as scratch:
        folder = Path(scratch)
        size = make_material(folder)
        sides = {
            "own": _python("own", folder),
            "dss": _dss(folder),
            "pyhanko": _python("pyhanko", folder),
        }
        told: dict[str, dict[str, Any]] = {}
        for side, seconds in sides.items():
            signed = (folder / f"{side}.pdf").read_bytes()
            _intact(side, signed)
            number = ROUNDS[side] * len(FIELDS)
            told[side] = {"per_second": round(number / seconds, 1), "bytes_a_signature": round((len(signed) - size) / len(FIELDS))}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "bench-sign-pdf.json").write_text(json.dumps({"document_bytes": size, **told}, indent=2) + "\n", encoding="utf-8")
    for side, of_side in told.items():
        print(f"sign.pdf: {side}: {of_side['per_second']:g} signatures/s and core, {of_side['bytes_a_signature']} bytes a signature")
    own, dss, pyhanko = (told[side]["per_second"] for side in ("own", "dss", "pyhanko"))
    print(f"sign.pdf: {own / dss:.1f} times EU DSS, {own / pyhanko:.1f} times pyHanko")
    return Figure(
        name="sign.pdf",
        value=own,
        unit="signatures/s and core",
        peer=f"EU DSS {_dss_version()}, the same document with its fields, no picture, warm JVM, processor time, same run",
        peer_value=dss,
        ratio=round(own / dss, 1),
        command="make bench NAMES=sign.pdf",
    )


def make_material(folder: Path) -> int:
    """The document, and for each field FIELD.key and FIELD.cer under issuer.cer; gives the document's length."""
    content = bench_content(0)
    sheet = replace(A4, panels=(*A4.panels, FOURTH))
    # the product's forms have three fields, and the fourth has to stand in the same revision
    document = forms._printed(
        "transcript",
        form(content, signatures(content), preview=False, pictures=None),
        transcript_xml(content),
        content.created_at,
        sheet,
        preview=False,
    )
    (folder / "document.pdf").write_bytes(document)
    root_key, issuer_key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    issuer = _certificate("CA", issuer_key, "Root", root_key, authority=True)
    (folder / "issuer.cer").write_bytes(issuer.public_bytes(Encoding.DER))
    for field in FIELDS:
        key = rsa.generate_private_key(65537, 2048)
        der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{field}.key").write_bytes(der)
        (folder / f"{field}.cer").write_bytes(_certificate(f"Signer {field}", key, "CA", issuer_key).public_bytes(Encoding.DER))
    return len(document)


def _certificate(
    subject: str, key: rsa.RSAPrivateKey, issuer: str, issuer_key: rsa.RSAPrivateKey, *, authority: bool = False
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    usage = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only", "decipher_only"), False
    ) | {"digital_signature": not authority, "content_commitment": not authority, "key_cert_sign": authority}
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, SHA256())
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"), x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _python(side: str, folder: Path) -> float:
    return _seconds(side, [sys.executable, "-m", "infra.bench.sign_pdf_worker", side, str(folder), str(ROUNDS[side]), *FIELDS])


def _dss(folder: Path) -> float:
    java = shutil.which("java")
    if java is None:
        raise SystemExit("EU DSS needs java 17: package default-jdk-headless")
    switches = ["-Xmx1024m", "-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off"]
    numbers = (str(WARM_DSS), str(ROUNDS["dss"]), str(DSS_ROOM))
    return _seconds("dss", [java, *switches, "-cp", classpath(), "hocba.bench.SignPdf", str(folder), *numbers, *FIELDS])


def _seconds(side: str, command: list[str]) -> float:
    """Held on one core from its start."""
    core = str(min(os.sched_getaffinity(0)))
    done = subprocess.run(["taskset", "-c", core, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{side}: {done.stderr.strip()[-1000:]}")
    return float(done.stdout)


def _intact(side: str, signed: bytes) -> None:
    found = PdfFileReader(BytesIO(signed)).embedded_regular_signatures
    # whether anybody trusts these certificates is no matter here, nor that EU DSS moves the fields
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
    nobody = ValidationContext(trust_roots=[], allow_fetching=False)
    states = [validate_pdf_signature(one, nobody, nobody) for one in found]
    if len(found) != len(FIELDS) or not all(state.intact and state.valid for state in states):
        raise SystemExit(f"{side}: what was signed is not intact")


def _dss_version() -> str:
    text = (PROJECT / "pom.xml").read_text(encoding="utf-8")
    return text.partition("<dss.version>")[2].partition("<")[0]
