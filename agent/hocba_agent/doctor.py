"""Is everything there that signing needs? One line each, with what to do when not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from hocba_agent import drivers, pairing, tokens, troubles
from hocba_agent.server import Server

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True)
class Line:
    good: bool
    text: str
    advice: str = ""

    def __str__(self) -> str:
        return f"[{'Đạt' if self.good else 'Chưa đạt'}] {self.text}" + (f" → {self.advice}" if self.advice else "")


def examine(at: Path, modules: Sequence[str], now: datetime) -> list[Line]:
    """What follows from something that is missing is left out."""
    paired: pairing.Pairing | None = None
    lines = []
    try:
        paired = pairing.load(at)
    except troubles.Trouble as trouble:
        lines.append(_bad(trouble))
    if paired is not None:
        lines += _server(paired)
    return lines + _tokens(drivers.find(modules or (paired.modules if paired else ())), now)


def _bad(trouble: troubles.Trouble) -> Line:
    return Line(good=False, text=trouble.cause, advice=trouble.advice)


def _server(paired: pairing.Pairing) -> list[Line]:
    lines = []
    try:
        with Server.of(paired) as server:
            keys = server.keys()
            lines.append(Line(good=True, text=f"Kết nối được máy chủ {paired.server}."))
            if keys != paired.keys:
                lines.append(Line(good=False, text="Khoá của máy chủ đã thay đổi từ khi ghép nối.", advice="Ghép nối lại."))
            lines.append(Line(good=True, text=f"Đã ghép nối với tài khoản của {server.me()['name']}."))
    except troubles.Trouble as trouble:
        lines.append(_bad(trouble))
    return lines


def _tokens(modules: Sequence[str], now: datetime) -> list[Line]:
    if not modules:
        return [_bad(troubles.no_driver())]
    lines = [Line(good=True, text=f"Có phần mềm điều khiển thiết bị ký: {', '.join(modules)}.")]
    tokens.look_anew(modules)
    try:
        names = [token.label.strip() for _, token in tokens.present(modules)]
        lines.append(Line(good=True, text=f"Thiết bị ký đang cắm: {', '.join(names)}."))
        found = tokens.certificates(modules)
    except troubles.Trouble as trouble:
        if trouble.code == "no_driver":
            return [_bad(trouble)]
        return [*lines, _bad(trouble)]
    return lines + [line for certificate in found for line in _certificate(certificate, now)]


def _certificate(certificate: tokens.TokenCertificate, now: datetime) -> list[Line]:
    name = _name(certificate)
    lines = [Line(good=True, text=f"Chứng thư số: {name}.")]
    try:
        tokens.usable(certificate, now)
        lines.append(Line(good=True, text=f"{name}: còn hiệu lực đến {tokens.day(certificate.x509.not_valid_after_utc)}."))
    except troubles.Trouble as trouble:
        lines.append(Line(good=False, text=f"{name}: {trouble.cause}", advice=trouble.advice))
    if _may_sign(certificate.x509):
        lines.append(Line(good=True, text=f"{name}: được phép dùng để ký số."))
    else:
        advice = "Đề nghị nhà cung cấp cấp chứng thư số dùng để ký."
        lines.append(Line(good=False, text=f"{name}: chứng thư số không dùng để ký.", advice=advice))
    return lines


def _name(certificate: tokens.TokenCertificate) -> str:
    names = certificate.x509.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.label


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment
