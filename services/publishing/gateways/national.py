"""The national intake gateway (contracts/openapi/national-gateway-v1.yaml): the one place that knows its protocol."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import io
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import httpx
from lxml import etree
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.documents import DocumentKind
from services.chassis import clock
from services.chassis.errors import Refused
from services.chassis.settings import Settings, needed, secret
from services.publishing.errors import BAD_CALLBACK
from services.publishing.gateways.service_http import GatewayAway as GatewayAway  # noqa: PLC0414 - who asks the gateway catches it
from services.publishing.gateways.service_http import PackageRefused as PackageRefused  # noqa: PLC0414 - as above
from services.publishing.gateways.service_http import SignedHttp, read, refusal_in
from services.publishing.lookup import Found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.publishing.lookup import Criteria

NAMESPACE = "urn:hocba:package:1"
CALLBACK_WINDOW = dt.timedelta(minutes=5)
LARGEST_CALLBACK = 1_000_000
"""Bytes; a package of fifty takes some fifteen thousand."""
MOST_RESULTS = 5000
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


LISTED: dict[DocumentKind, tuple[str, str, str]] = {
    "transcript": ("HocBa", "MaHocBa", "1.0"),
    "class_summary": ("BangTongHop", "MaBangTongHop", "1.1"),
}
"""Kind → how the manifest lists one, what it calls its id, and the first version of the manifest that knows it."""


@dataclass(frozen=True)
class Enclosed:
    """One document of a package with its two files; a class summary has no pupil."""

    transcript: str
    version: int
    pupil: str
    pdf: bytes
    xml: bytes


@dataclass(frozen=True)
class PackageInfo:
    id: str
    school: str
    year: str
    class_code: str
    made_at: dt.datetime
    callback: str
    kind: DocumentKind = "transcript"


class Result(BaseModel):
    """What the gateway says of one transcript; `status` PENDING only in answers to a question."""

    model_config = ConfigDict(extra="ignore")

    uuid: str = Field(max_length=80)
    status: str = Field(pattern=r"^(PENDING|ACCEPTED|REJECTED)$")
    code: str | None = Field(default=None, max_length=40)
    reason: str | None = Field(default=None, max_length=2000)
    at: AwareDatetime | None = None


class Answer(BaseModel):
    """To a question about a package."""

    model_config = ConfigDict(extra="ignore")

    results: list[Result]


class Receipt(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    package_id: str = Field(alias="packageId")


class Withdrawn(BaseModel):
    """What the gateway did with an order to take a document back."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    withdrawal_id: str = Field(alias="withdrawalId", max_length=80)
    state: str = Field(pattern=r"^(WITHDRAWN|REFUSED)$")
    code: str | None = Field(default=None, max_length=40)
    reason: str | None = Field(default=None, max_length=2000)
    at: AwareDatetime | None = None


class Callback(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    event_id: str = Field(alias="eventId", min_length=1, max_length=80)
    package_id: str = Field(alias="packageId", max_length=80)
    results: list[Result] = Field(max_length=MOST_RESULTS)


def build_package(info: PackageInfo, enclosed: Sequence[Enclosed]) -> bytes:
    """The ZIP with its manifest; the same input gives the same bytes."""
    element, identifier, version = LISTED[info.kind]
    root = etree.Element(f"{{{NAMESPACE}}}GoiHocBa", {"phienBan": version}, nsmap=cast("dict[str, str]", {None: NAMESPACE}))

    def add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
        child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}", attributes)
        child.text = text
        return child

    add(root, "MaGoi", info.id)
    add(root, "MaTruong", info.school)
    add(root, "NamHoc", info.year)
    add(root, "Lop", info.class_code)
    add(root, "NgayTao", clock.in_vietnam(info.made_at).isoformat(timespec="seconds"))
    add(root, "DiaChiPhanHoi", info.callback)
    listing = add(root, "DanhSach", soLuong=str(len(enclosed)))
    for each in enclosed:
        row = add(listing, element)
        add(row, identifier, each.transcript)
        add(row, "PhienBan", str(each.version))
        if info.kind == "transcript":
            add(row, "MaHocSinh", each.pupil)
        for name, kind, content in (("TepPdf", "pdf", each.pdf), ("TepXml", "xml", each.xml)):
            digest = hashlib.sha256(content).hexdigest()
            add(row, name, ten=f"{each.transcript}.{kind}", sha256=digest, kichThuoc=str(len(content)))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        manifest = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        archive.writestr(zipfile.ZipInfo("manifest.xml", ZIP_EPOCH), manifest, zipfile.ZIP_DEFLATED)
        for each in enclosed:
            archive.writestr(zipfile.ZipInfo(f"{each.transcript}.pdf", ZIP_EPOCH), each.pdf, zipfile.ZIP_STORED)
            archive.writestr(zipfile.ZipInfo(f"{each.transcript}.xml", ZIP_EPOCH), each.xml, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def withdrawal_order(request: Mapping[str, Any], signed: str) -> bytes:
    """The order to take a document back, with the school's signed request (base64 of the XML); the same request gives the same bytes."""
    order = {
        "withdrawalId": request["_id"],
        "uuid": request["transcript"],
        "version": request["version"],
        "schoolCode": request["school"],
        "decidedBy": request["unit"],
        "decidedAt": request["decided_at"].isoformat(timespec="seconds"),
        "request": signed,
    }
    return json.dumps(order, separators=(",", ":")).encode()


class NationalGateway:
    def __init__(self, settings: Settings) -> None:
        if settings.gateway_url is None:
            raise SystemExit("HOCBA_GATEWAY_URL is not set")
        self._http = SignedHttp(settings, settings.gateway_url)

    async def send(self, package_id: str, body: bytes) -> None:
        """Returns when the gateway has taken it. Raises GatewayAway or PackageRefused."""
        headers = {"Idempotency-Key": package_id, "X-JWS-Signature": self._http.detached_jws(body), "Content-Type": "application/zip"}
        answer = await self._http.ask("POST", "/v1/packages", content=body, headers=headers)
        if answer.status_code != httpx.codes.ACCEPTED:
            raise refusal_in(answer)
        if read(Receipt, answer).package_id != package_id:
            raise GatewayAway("a receipt for another package")

    async def results(self, package_id: str) -> list[Result] | None:
        """What the gateway says of the package's transcripts; None when it does not know the package."""
        answer = await self._http.ask("GET", f"/v1/packages/{package_id}")
        if answer.status_code == httpx.codes.OK:
            return read(Answer, answer).results
        refusal = refusal_in(answer)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        raise refusal

    async def search(self, school: str, asked: Criteria) -> Found:
        """What the gateway holds of a school, whoever sent it. Raises GatewayAway or PackageRefused."""
        named = {
            "schoolCode": school,
            "schoolYear": asked.year,
            "grade": asked.grade,
            "className": asked.class_code,
            "pupilName": asked.name,
            "personalId": asked.personal_id,
            "uuid": asked.uuid,
            "status": asked.status,
            "page": asked.page,
        }
        body = json.dumps({key: value for key, value in named.items() if value}, ensure_ascii=False).encode()
        headers = {"X-JWS-Signature": self._http.detached_jws(body), "Content-Type": "application/json"}
        answer = await self._http.ask("POST", "/v1/transcripts/search", content=body, headers=headers)
        if answer.status_code != httpx.codes.OK:
            raise refusal_in(answer)
        return read(Found, answer)

    async def withdraw(self, request_id: str, body: bytes) -> Withdrawn:
        """Have a document taken back; told again, it is the same order. Raises GatewayAway, PackageRefused."""
        headers = {"Idempotency-Key": request_id, "X-JWS-Signature": self._http.detached_jws(body), "Content-Type": "application/json"}
        answer = await self._http.ask("POST", "/v1/withdrawals", content=body, headers=headers)
        if answer.status_code != httpx.codes.OK:
            raise refusal_in(answer)
        return _obeyed(answer, request_id)

    async def withdrawal(self, request_id: str) -> Withdrawn | None:
        """What became of the order; None when the gateway does not know it."""
        answer = await self._http.ask("GET", f"/v1/withdrawals/{request_id}")
        if answer.status_code == httpx.codes.OK:
            return _obeyed(answer, request_id)
        refusal = refusal_in(answer)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        raise refusal


def _obeyed(answer: httpx.Response, request_id: str) -> Withdrawn:
    said = read(Withdrawn, answer)
    if said.withdrawal_id != request_id:
        raise GatewayAway("an answer to another order")
    return said


def verify_callback(settings: Settings, header: str, body: bytes) -> Callback:
    """Raises Refused(BAD_CALLBACK) unless the gateway signed exactly this, lately."""
    parts = dict(p.split("=", 1) for p in header.split(",") if "=" in p)
    key = secret(needed(settings.gateway_callback_secret_file, "gateway_callback_secret_file")).encode()
    expected = hmac.new(key, parts.get("t", "").encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, parts.get("v1", "")):
        raise Refused(BAD_CALLBACK)
    try:
        age = abs(clock.now().timestamp() - int(parts["t"]))
        said = Callback.model_validate_json(body)
    except (KeyError, ValueError) as problem:
        raise Refused(BAD_CALLBACK) from problem
    if age > CALLBACK_WINDOW.total_seconds():
        raise Refused(BAD_CALLBACK)
    return said
