"""Orders to take documents back: what one must be before the gateway obeys."""

import base64
import binascii
import re
from functools import cache

from lxml import etree
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.sandbox.gateway import xades
from infra.sandbox.gateway.errors import PackageRefused, TranscriptRefused
from infra.sandbox.gateway.schemas import CONTRACTS, parse, violation
from infra.sandbox.gateway.trust import Trust

NAMESPACE = "{urn:hocba:withdrawal:1}"
LARGEST_ORDER = 1_000_000
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Order(BaseModel):
    """`request` is the base64 of the school's signed XML."""

    model_config = ConfigDict(extra="forbid")

    withdrawalId: str = Field(pattern=f"^{UUID.pattern}$")  # noqa: N815 - as the contract has it
    uuid: str = Field(pattern=f"^{UUID.pattern}$")
    version: int = Field(ge=1)
    schoolCode: str = Field(min_length=1, max_length=40)  # noqa: N815 - as the contract has it
    decidedBy: str = Field(min_length=1, max_length=40)  # noqa: N815 - as the contract has it
    decidedAt: str = Field(min_length=1, max_length=40)  # noqa: N815 - as the contract has it
    request: str


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(CONTRACTS / "yeu-cau-thu-hoi-1.0.xsd"))


def read(body: bytes, trust: Trust) -> Order:
    """Raises PackageRefused: NG-013 for what is no order, NG-014 when the school's request in it does not stand or is another."""
    try:
        order = Order.model_validate_json(body)
        root = parse(base64.b64decode(order.request, validate=True))
    except (ValidationError, binascii.Error, ValueError) as wrong:
        raise PackageRefused(400, "NG-013", "Nội dung lệnh thu hồi không đúng mẫu") from wrong
    if violation(_schema(), root) is not None:
        raise PackageRefused(400, "NG-013", "Yêu cầu thu hồi không đúng lược đồ")
    try:
        xades.verify_all(root, trust)
    except TranscriptRefused as wrong:
        raise PackageRefused(400, "NG-014", f"Yêu cầu thu hồi không có chữ ký hợp lệ của nhà trường: {wrong.reason}") from wrong
    named = {name: root.findtext(f"{NAMESPACE}NoiDung/{NAMESPACE}{name}") for name in ("MaYeuCau", "MaTaiLieu", "MaTruong", "PhienBan")}
    expected = {"MaYeuCau": order.withdrawalId, "MaTaiLieu": order.uuid, "MaTruong": order.schoolCode, "PhienBan": str(order.version)}
    if named != expected:
        raise PackageRefused(400, "NG-014", "Lệnh thu hồi khác với yêu cầu mà nhà trường đã ký")
    return order
