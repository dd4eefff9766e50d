"""The national intake gateway (contracts/openapi/national-gateway-v1.yaml): the one place that knows its protocol."""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import hashlib
import hmac
import io
import json
import ssl
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from contracts.documents import DocumentKind
from services.chassis import clock
from services.chassis.errors import Refused
from services.chassis.settings import Settings, needed, secret
from services.publishing.errors import BAD_CALLBACK
from services.publishing.lookup import Found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.publishing.lookup import Criteria

NAMESPACE = "urn:hocba:package:1"
CALLBACK_WINDOW = dt.timedelta(minutes=5)
LARGEST_CALLBACK = 1_000_000
"""Bytes; a package of fifty takes some fifteen thousand."""
MOST_RESULTS = 5000
TRY_LATER = (408, 425, 429)
"""Statuses below 500 that say nothing of the package."""
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
    """No answer, "try again later", or an answer that is not of the contract: the package may have arrived.

    The same package is sent again under the same id, not before `retry_after` seconds where the gateway named them.
    """

    def __init__(self, problem: str = "no answer", retry_after: float | None = None) -> None:
        super().__init__(problem)
        self.retry_after = retry_after


class PackageRefused(Exception):
    """The gateway refuses the package as a whole; sending it again gets the same answer."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


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


class Refusal(BaseModel):
    """The gateway's own "no"; a 4xx without it comes from something in between."""

    model_config = ConfigDict(extra="ignore")

    code: str = Field(pattern=r"^NG-[0-9]{3}$")
    reason: str = Field(min_length=1, max_length=2000)


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
        trust = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
        # mutual TLS wherever the gateway asks for it; the same certificate signs the packages
        trust.load_cert_chain(
            needed(settings.service_cert_file, "service_cert_file"), needed(settings.service_key_file, "service_key_file")
        )
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
        if answer.status_code != httpx.codes.ACCEPTED:
            raise _refusal(answer)
        if _read(Receipt, answer).package_id != package_id:
            raise GatewayAway("a receipt for another package")

    async def results(self, package_id: str) -> list[Result] | None:
        """What the gateway says of the package's transcripts; None when it does not know the package."""
        answer = await self._ask("GET", f"/v1/packages/{package_id}")
        if answer.status_code == httpx.codes.OK:
            return _read(Answer, answer).results
        refusal = _refusal(answer)
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
        headers = {"X-JWS-Signature": self._detached_jws(body), "Content-Type": "application/json"}
        answer = await self._ask("POST", "/v1/transcripts/search", content=body, headers=headers)
        if answer.status_code != httpx.codes.OK:
            raise _refusal(answer)
        return _read(Found, answer)

    async def withdraw(self, request_id: str, body: bytes) -> Withdrawn:
        """Have a document taken back; told again, it is the same order. Raises GatewayAway, PackageRefused."""
        headers = {"Idempotency-Key": request_id, "X-JWS-Signature": self._detached_jws(body), "Content-Type": "application/json"}
        answer = await self._ask("POST", "/v1/withdrawals", content=body, headers=headers)
        if answer.status_code != httpx.codes.OK:
            raise _refusal(answer)
        return _obeyed(answer, request_id)

    async def withdrawal(self, request_id: str) -> Withdrawn | None:
        """What became of the order; None when the gateway does not know it."""
        answer = await self._ask("GET", f"/v1/withdrawals/{request_id}")
        if answer.status_code == httpx.codes.OK:
            return _obeyed(answer, request_id)
        refusal = _refusal(answer)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        raise refusal

    async def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, **request)
        except (httpx.TransportError, httpx.DecodingError, httpx.TooManyRedirects) as problem:
            raise GatewayAway(type(problem).__name__) from problem
        if answer.status_code in TRY_LATER or answer.status_code >= 500:
            raise GatewayAway(f"HTTP {answer.status_code}", retry_after(answer.headers.get("Retry-After", ""), clock.now()))
        return answer

    def _detached_jws(self, body: bytes) -> str:
        """RFC 7797: an unencoded, detached payload."""
        header = {"alg": "ES256", "b64": False, "crit": ["b64"], "x5c": self._x5c}
        protected = _base64url(json.dumps(header, separators=(",", ":")).encode())
        r, s = utils.decode_dss_signature(self._key.sign(protected + b"." + body, ec.ECDSA(hashes.SHA256())))
        return f"{protected.decode()}..{_base64url(r.to_bytes(32) + s.to_bytes(32)).decode()}"


M = TypeVar("M", bound=BaseModel)


def _read(model: type[M], answer: httpx.Response) -> M:
    """Raises GatewayAway for what the gateway of the contract would not say: a proxy's page, half an answer."""
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as problem:
        raise GatewayAway(f"HTTP {answer.status_code} with an answer that is not of the contract") from problem


def _obeyed(answer: httpx.Response, request_id: str) -> Withdrawn:
    said = _read(Withdrawn, answer)
    if said.withdrawal_id != request_id:
        raise GatewayAway("an answer to another order")
    return said


def _refusal(answer: httpx.Response) -> PackageRefused:
    said = _read(Refusal, answer)
    return PackageRefused(said.code, said.reason)


def retry_after(header: str, at: dt.datetime) -> float | None:
    """Seconds from `at` (RFC 9110, 10.2.3: a number or a date); None when it says nothing."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)) - at).total_seconds())


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
