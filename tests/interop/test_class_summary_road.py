"""A class summary goes the whole road on the real stack; what comes out is judged by other people's validators."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.demo.road import Road
from services.records.render.summary_xml import validate_summary
from services.signing.providers import read_roots
from services.signing.verify import verify_pdf, verify_xml
from tests.conftest import Travelled
from tests.interop import oracles


@dataclass(frozen=True)
class Summary:
    states: tuple[str, ...]
    pdf: Path
    xml: Path


@pytest.fixture(scope="module")
def summary(travelled: Travelled, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    folder = tmp_path_factory.mktemp("summary")
    return travelled.go_on(lambda road: _travel(road, folder))


async def _travel(road: Road, folder: Path) -> Summary:
    """Created, signed by homeroom teacher, leader and school, confirmed, sent, accepted."""
    rows = (await road.admin.get("/api/records/summaries"))["classes"]
    ready = next(row for row in rows if not row["reasons"])
    made = await road.admin.post("/api/records/summaries", {"classes": [ready["code"]]})
    summary = made["created"][0]["summary"]
    of_class = next(c for c in road.export.classes if c.code == ready["code"])
    states = []
    signers = (("homeroom", of_class.homeroom), ("leader", of_class.leader), ("issue", road.export.issuer.code))
    for step, person in signers:

        async def signed(step: str = step, person: str = person) -> int:
            return await road.sign_waiting(road.staff[person], step, kind="class_summary")

        await road.until(signed, 1)

    chosen = {"transcripts": [summary], "kind": "class_summary"}
    for state, act in (("SIGNED", "/api/records/confirmations"), ("CONFIRMED", "/api/publishing/submissions"), ("ACCEPTED", "")):

        async def reached(state: str = state) -> int:
            return int((await road.admin.get(f"/api/records/summaries/{summary}"))["state"] == state)

        await road.until(reached, 1)
        states.append(state)
        if act.startswith("/api/publishing"):

            async def known() -> int:
                return len((await road.admin.get("/api/publishing/submissions", kind="class_summary"))["submissions"])

            await road.until(known, 1)
        if act:
            await road.admin.post(act, chosen)
    files = {kind: folder / f"{summary}.{kind}" for kind in ("pdf", "xml")}
    for kind, file in files.items():
        file.write_bytes(await road.admin.download(f"/api/records/summaries/{summary}/document.{kind}"))
    return Summary(tuple(states), files["pdf"], files["xml"])


def test_a_class_summary_is_signed_confirmed_sent_and_accepted_by_the_gateway(summary: Summary) -> None:
    assert summary.states == ("SIGNED", "CONFIRMED", "ACCEPTED")
    assert validate_summary(summary.xml.read_bytes()) == []


def test_eu_dss_passes_the_three_signatures_of_both_files_and_the_schools_at_the_archive_level(
    summary: Summary, travelled: Travelled
) -> None:
    crls = Path(travelled.info["sandbox"]["dir"]) / "crl"
    judged = oracles.dss([summary.pdf, summary.xml], travelled.trust, crls, strict=True)
    for file, signatures in judged.items():
        assert [s.indication for s in signatures] == ["TOTAL_PASSED"] * 3, (file.name, signatures)
    assert [s.format for s in judged[summary.pdf]] == ["PAdES-BASELINE-LTA"] * 3
    assert [s.format for s in judged[summary.xml]] == ["XAdES-BASELINE-B", "XAdES-BASELINE-B", "XAdES-BASELINE-LTA"]


def test_verapdf_finds_the_signed_summary_archivable_and_xmlsec1_its_signatures_valid(summary: Summary, travelled: Travelled) -> None:
    assert oracles.verapdf([summary.pdf])[summary.pdf].compliant
    verdicts = oracles.xmlsec1(summary.xml, travelled.trust)
    assert [v.valid for v in verdicts] == [True] * 3


def test_our_own_verification_trusts_a_summary_and_notices_a_changed_level(summary: Summary, travelled: Travelled) -> None:
    roots, at = read_roots(travelled.trust), dt.datetime.now(dt.UTC)
    content = summary.xml.read_bytes()
    for verdicts in (verify_xml(content, roots, [], at), verify_pdf(summary.pdf.read_bytes(), roots, [], at)):
        assert [(v.intact, v.coverage == "unclear", list(v.problems)) for v in verdicts] == [(True, False, [])] * 3
    changed = content.replace(b"<MucDatDuoc>H</MucDatDuoc>", b"<MucDatDuoc>T</MucDatDuoc>", 1)
    assert changed != content
    assert not any(v.intact for v in verify_xml(changed, roots, [], at))
