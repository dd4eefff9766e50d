"""What this product says to the national gateway and the admissions portal, by the published documents; and that those only grow.

What the sandboxes answer is judged by the same documents in tests/unit/sandbox (conftest): every answer of every test there.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from lxml import etree

from contracts.compatibility import breaks
from contracts.documents import DocumentKind
from infra.generate import ROOT
from services.chassis.settings import Settings
from services.publishing.gateways.admissions import AdmissionsPortal, revocation_order
from services.publishing.gateways.national import Enclosed, NationalGateway, PackageInfo, build_package, withdrawal_order
from services.publishing.lookup import Criteria
from tests.contracts.base import base_commit, files_at
from tests.contracts.outside import ADMISSIONS, GATEWAY, Contract, contract, package_problems
from tests.factories.settings import settings_without_servers
from tests.unit.signing import pki

ID, UUID = "0b1c2d3e-0000-4000-8000-000000000001", "5d0c1a2b-3e4f-4a5b-8c6d-7e8f9a0b1c2d"
AT = dt.datetime(2026, 6, 1, 1, 2, 3, 456000, tzinfo=dt.UTC)
MOMENT = "2026-06-01T01:02:03.456+00:00"


@dataclass
class Heard:
    """The other side: judges what it is asked and answers what the document allows."""

    by: Contract
    answers: dict[str, tuple[int, Any]]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        assert self.by.request_problems(request) == []
        status, body = self.answers[f"{request.method} {request.url.path}"]
        answer = httpx.Response(status, json=body)
        assert self.by.answer_problems(request, answer) == []
        return answer


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    party = pki.party("Dịch vụ gửi học bạ", "SERVICE:publishing", "p256")
    key, certificate = tmp_path / "service.key", tmp_path / "service.pem"
    key.write_bytes(pki.pem_of(party))
    certificate.write_bytes(b"".join(pki.certificate_pem(der) for der in (party.der, *party.chain)))
    urls = {"gateway_url": "https://gateway.test", "admissions_url": "https://admissions.test"}
    return settings_without_servers(key, service_key_file=key, service_cert_file=certificate, **urls)


def listening(client: NationalGateway | AdmissionsPortal, heard: Heard) -> None:
    client._http._http = httpx.AsyncClient(base_url="https://outside.test", transport=httpx.MockTransport(heard))


def packed(kind: DocumentKind = "transcript") -> bytes:
    info = PackageInfo(
        id=ID, school="31300001", year="2025-2026", class_code="5A", made_at=AT, callback="https://localhost:8443/api/x", kind=kind
    )
    return build_package(info, [Enclosed(UUID, 1, "312500100001", b"%PDF-1.7", b"<HocBa/>")])


async def test_whatever_is_said_to_the_national_gateway_is_of_its_published_contract(settings: Settings) -> None:
    withdrawn = {"withdrawalId": ID, "uuid": UUID, "version": 1, "state": "WITHDRAWN", "code": None, "reason": None, "at": MOMENT}
    told = {"packageId": ID, "receivedAt": MOMENT, "state": "RECEIVED", "processedAt": None, "schoolCode": "31300001"}
    result = {"uuid": UUID, "version": 1, "status": "PENDING", "code": None, "reason": None, "at": None}
    heard = Heard(
        contract(GATEWAY),
        {
            "POST /v1/packages": (202, {"packageId": ID, "receivedAt": MOMENT, "state": "RECEIVED"}),
            f"GET /v1/packages/{ID}": (200, {**told, "schoolYear": "2025-2026", "className": "5A", "results": [result]}),
            "POST /v1/transcripts/search": (200, {"total": 0, "page": 1, "size": 200, "results": []}),
            "POST /v1/withdrawals": (200, withdrawn),
            f"GET /v1/withdrawals/{ID}": (404, {"code": "NG-016", "reason": "Không có lệnh thu hồi này"}),
        },
    )
    gateway = NationalGateway(settings)
    listening(gateway, heard)
    for kind in ("transcript", "class_summary"):
        await gateway.send(ID, packed(kind))
    await gateway.results(ID)
    full = {"grade": 5, "class_code": "5A", "name": "Đỗ Thị Đào", "personal_id": "031215001234", "uuid": UUID, "status": "ACCEPTED"}
    for criteria in (Criteria(), Criteria(year="2025-2026", page=2, **full)):
        await gateway.search("31300001", criteria)
    request = {"_id": ID, "transcript": UUID, "version": 1, "school": "31300001", "unit": "03101", "decided_at": AT}
    await gateway.withdraw(ID, withdrawal_order(request, "PHg+"))
    assert await gateway.withdrawal(ID) is None
    assert len(heard.requests) == 7


async def test_whatever_is_said_to_the_admissions_portal_is_of_its_published_contract(settings: Settings) -> None:
    received = {"pushId": ID, "state": "RECEIVED", "receivedAt": MOMENT}
    heard = Heard(
        contract(ADMISSIONS),
        {
            "POST /v1/pushes": (202, received),
            f"GET /v1/pushes/{ID}": (200, {**received, "state": "REFUSED", "code": "TS-201", "reason": "x", "decidedAt": MOMENT}),
            f"POST /v1/pushes/{ID}/revocation": (200, {"pushId": ID, "state": "REVOKED", "decidedAt": MOMENT}),
        },
    )
    portal = AdmissionsPortal(settings)
    listening(portal, heard)
    assert (await portal.push(ID, packed())).state == "RECEIVED"
    standing = await portal.standing(ID)
    assert standing is not None
    assert (standing.state, standing.code) == ("REFUSED", "TS-201")
    admission = {"push": ID, "_id": UUID, "version": 1, "school": "31300001", "fallen": "WITHDRAWN", "fallen_at": AT}
    assert (await portal.revoke(ID, revocation_order(admission))).state == "REVOKED"
    assert len(heard.requests) == 3


def test_the_judge_finds_what_is_not_of_the_contract() -> None:
    by = contract(GATEWAY)

    def asked(method: str, path: str, **more: Any) -> list[str]:
        return by.request_problems(httpx.Request(method, f"https://gateway.test{path}", **more))

    assert asked("GET", f"/v1/packages/{ID}") == []
    assert asked("DELETE", f"/v1/packages/{ID}") != []
    assert asked("GET", "/v2/packages") != []
    assert len(asked("POST", "/v1/packages", content=packed(), headers={"Content-Type": "application/zip"})) == 2
    request = httpx.Request("GET", f"https://gateway.test/v1/withdrawals/{ID}")
    assert by.answer_problems(request, httpx.Response(404, json={"code": "NG-016", "reason": "x"})) == []
    assert by.answer_problems(request, httpx.Response(404, json={"code": "TS-016", "reason": "x"})) != []
    assert by.answer_problems(request, httpx.Response(418, json={})) != []
    assert by.answer_problems(request, httpx.Response(503, text="down")) == []


def test_a_package_whose_manifest_breaks_its_schema_is_found() -> None:
    assert package_problems(packed()) == []
    broken = PackageInfo(id="no-uuid", school="31300001", year="2025-2026", class_code="5A", made_at=AT, callback="https://localhost/x")
    assert package_problems(build_package(broken, [Enclosed(UUID, 1, "1", b"p", b"x")])) != []


# --- the documents only grow


def published() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(file, as it was at the base commit, as it is now)."""
    base = base_commit()
    before = files_at(base, "contracts/openapi") if base else {}
    for path, content in before.items():
        if path.endswith(".yaml"):
            yield path, yaml.safe_load(content), yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def losses(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Operations, answers and named schemas that an implementation of the older document would miss or break over."""
    found = []
    for path, item in before["paths"].items():
        for method, operation in item.items():
            after = now["paths"].get(path, {}).get(method)
            if after is None:
                found.append(f"{method} {path} is gone")
                continue
            gone = set(operation["responses"]) - set(after["responses"])
            found += [f"{method} {path} no longer answers {status}" for status in sorted(gone)]
            needs = {p["name"] for p in after.get("parameters", []) if p.get("required") and "name" in p}
            found += [f"{method} {path} needs {name}" for name in sorted(needs - {p.get("name") for p in operation.get("parameters", [])})]
    for name, schema in before["components"]["schemas"].items():
        after = now["components"]["schemas"].get(name)
        if after is None:
            found.append(f"schema {name} is gone")
        else:
            found += [
                f"{name}: {each}"
                for each in breaks({**schema, "components": before["components"]}, {**after, "components": now["components"]})
            ]
    return found


def test_an_outside_contract_takes_nothing_back_that_it_has_published() -> None:
    assert {path: lost for path, before, now in published() if (lost := losses(before, now))} == {}


def _without_status(document: dict[str, Any]) -> None:
    del document["paths"]["/v1/pushes"]["post"]["responses"]["409"]


def _without_operation(document: dict[str, Any]) -> None:
    del document["paths"]["/v1/pushes/{pushId}/revocation"]


def _without_schema(document: dict[str, Any]) -> None:
    del document["components"]["schemas"]["Receipt"]


def _newly_required(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["Standing"]["required"].append("receivedAt")


def _another_type(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["Receipt"]["properties"]["version"] = {"type": "string"}


@pytest.mark.parametrize("harm", [_without_status, _without_operation, _without_schema, _newly_required, _another_type])
def test_what_takes_something_back_is_found(harm: Callable[[dict[str, Any]], None]) -> None:
    document = yaml.safe_load((ROOT / "contracts" / "openapi" / ADMISSIONS).read_text(encoding="utf-8"))
    changed = yaml.safe_load((ROOT / "contracts" / "openapi" / ADMISSIONS).read_text(encoding="utf-8"))
    assert losses(document, changed) == []
    harm(changed)
    assert losses(document, changed) != []


def _rules_of(xsd: bytes) -> str:
    """A digest of what the schema says, its documentation apart."""
    root = etree.fromstring(xsd)
    etree.strip_elements(root, "{http://www.w3.org/2001/XMLSchema}annotation", with_tail=False)
    parser = etree.XMLParser(remove_blank_text=True, remove_comments=True)
    bare = etree.fromstring(etree.tostring(root), parser)
    return hashlib.sha256(etree.tostring(bare, method="c14n")).hexdigest()


def test_a_published_schema_of_documents_and_packages_never_changes() -> None:
    """What was signed by it has to be valid for ever; something else is a file with the next version."""
    base = base_commit()
    before = {p: c for p, c in (files_at(base, "contracts/xml") if base else {}).items() if p.endswith(".xsd")}
    assert {p for p, c in before.items() if not (ROOT / p).is_file() or _rules_of((ROOT / p).read_bytes()) != _rules_of(c)} == set()
