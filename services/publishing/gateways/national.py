"""The national intake gateway (contracts/openapi/national-gateway-v1.yaml): the one place that knows its protocol."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import io
import json
import ssl
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree
from pydantic import BaseModel, ConfigDict, Field

from contracts.documents import DocumentKind
from services.chassis import clock
from services.chassis.errors import Refused
from services.chassis.settings import Settings, needed, secret
from services.publishing.errors import BAD_CALLBACK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMESPACE = "urn:hocba:package:1"
CALLBACK_WINDOW = dt.timedelta(minutes=5)
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


class GatewayAway(Exception):
    """No answer, or "try again later": the package may have arrived; the same package is sent again under the same id."""


class PackageRefused(Exception):
    """The gateway refuses the package as a whole; sending it again gets the same answer."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


class Result(BaseModel):
    """What the gateway says of one transcript; `status` PENDING only in answers to a question."""

    model_config = ConfigDict(extra="ignore")

    uuid: str
    status: str = Field(pattern=r"^(PENDING|ACCEPTED|REJECTED)$")
    code: str | None = None
    reason: str | None = None
    at: dt.datetime | None = None


class Withdrawn(BaseModel):
    """What the gateway did with an order to take a document back."""

    model_config = ConfigDict(extra="ignore")

    uuid: str
    state: str = Field(pattern=r"^(WITHDRAWN|REFUSED)$")
    code: str | None = None
    reason: str | None = None
    at: dt.datetime | None = None


class Callback(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    event_id: str = Field(alias="eventId")
    package_id: str = Field(alias="packageId")
    results: list[Result]


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
        trust: ssl.SSLContext | bool = ssl.create_default_context(cafile=str(settings.ca_file)) if settings.ca_file else True
        self._http = httpx.AsyncClient(base_url=settings.gateway_url, timeout=httpx.Timeout(30, connect=5), verify=trust)
        key = load_pem_private_key(needed(settings.service_key_file, "service_key_file").read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SystemExit("HOCBA_SERVICE_KEY_FILE holds no EC key")
        self._key = key
        chain = x509.load_pem_x509_certificates(needed(settings.service_cert_file, "service_cert_file").read_bytes())
        self._x5c = [base64.b64encode(c.public_bytes(Encoding.DER)).decode() for c in chain]

    async def send(self, package_id: str, body: bytes) -> None:
        """Returns when the gateway has taken it. Raises GatewayAway or PackageRefused."""
        headers = {"Idempotency-Key": package_id, "X-JWS-Signature": self._detached_jws(body), "Content-Type": "application/zip"}
        answer = await self._ask("POST", "/v1/packages", content=body, headers=headers)
        if answer.status_code == httpx.codes.ACCEPTED:
            return
        raise _refusal(answer)

    async def results(self, package_id: str) -> list[Result] | None:
        """What the gateway says of the package's transcripts; None when it does not know the package."""
        answer = await self._ask("GET", f"/v1/packages/{package_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.status_code != httpx.codes.OK:
            raise _refusal(answer)
        return [Result.model_validate(r) for r in answer.json()["results"]]

    async def withdraw(self, request_id: str, body: bytes) -> Withdrawn:
        """Have a document taken back; told again, it is the same order. Raises GatewayAway, PackageRefused."""
        headers = {"Idempotency-Key": request_id, "X-JWS-Signature": self._detached_jws(body), "Content-Type": "application/json"}
        answer = await self._ask("POST", "/v1/withdrawals", content=body, headers=headers)
        if answer.status_code != httpx.codes.OK:
            raise _refusal(answer)
        return Withdrawn.model_validate(answer.json())

    async def withdrawal(self, request_id: str) -> Withdrawn | None:
        """What became of the order; None when the gateway does not know it."""
        answer = await self._ask("GET", f"/v1/withdrawals/{request_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.status_code != httpx.codes.OK:
            raise _refusal(answer)
        return Withdrawn.model_validate(answer.json())

    async def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, **request)
        except httpx.TransportError as problem:
            raise GatewayAway(type(problem).__name__) from problem
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.status_code >= 500:
            raise GatewayAway(f"HTTP {answer.status_code}")
        return answer

    def _detached_jws(self, body: bytes) -> str:
        """RFC 7797: an unencoded, detached payload."""
        header = {"alg": "ES256", "b64": False, "crit": ["b64"], "x5c": self._x5c}
        protected = _base64url(json.dumps(header, separators=(",", ":")).encode())
        r, s = utils.decode_dss_signature(self._key.sign(protected + b"." + body, ec.ECDSA(hashes.SHA256())))
        return f"{protected.decode()}..{_base64url(r.to_bytes(32) + s.to_bytes(32)).decode()}"


def _refusal(answer: httpx.Response) -> PackageRefused:
    try:
        said = answer.json()
        return PackageRefused(str(said["code"]), str(said["reason"]))
    except (ValueError, KeyError, TypeError):
        return PackageRefused(f"HTTP-{answer.status_code}", "Cổng tiếp nhận từ chối gói học bạ")


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


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
