"""Is everything there that signing needs? One line each, with what to do when not."""

from __future__ import annotations

import platform
import struct
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509

from hocba_agent import __version__, drivers, pairing, tokens, troubles
from hocba_agent.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

CLOCK_OFF: Final = timedelta(minutes=1)
"""Jobs are good for five minutes and TLS certificates begin on a day: a clock that is off by less harms neither."""
SOON: Final = timedelta(days=30)
"""A certificate that ends within this time is told, while there is time to renew it."""


@dataclass(frozen=True)
class Line:
    good: bool
    text: str
    advice: str = ""

    def __str__(self) -> str:
        return f"[{'Đạt' if self.good else 'Chưa đạt'}] {self.text}" + (f" → {self.advice}" if self.advice else "")


def examine(at: Path, modules: Sequence[str], now: datetime, *, server: str = "", ca: str | None = None) -> list[Line]:
    """What follows from something that is missing is left out. `server`, `ca`: to look at when the program is not paired yet."""
    paired: pairing.Pairing | None = None
    lines = [_computer()]
    try:
        paired = pairing.load(at)
    except troubles.Trouble as trouble:
        lines.append(_bad(trouble))
    if paired is not None:
        known = paired
        lines += _server(lambda: Server.of(known), paired)
    elif server:
        lines += _server(lambda: Server(pairing.checked_server(server), ca), None)
    return lines + _tokens(drivers.find(modules or (paired.modules if paired else ())), now)


def _bad(trouble: troubles.Trouble) -> Line:
    return Line(good=False, text=trouble.cause, advice=trouble.advice)


def _good(text: str, advice: str = "") -> Line:
    return Line(good=True, text=text, advice=advice)


def _computer() -> Line:
    bits = struct.calcsize("P") * 8
    told = f"Chương trình ký số {__version__}, {bits} bit, {platform.system()} {platform.release()}, Python {platform.python_version()}."
    if bits == 64:
        return _good(told)
    return Line(good=False, text=told, advice="Cài Python 64 bit rồi cài lại chương trình; phần mềm của thiết bị ký dùng bản 64 bit.")


def _server(opened: Callable[[], Server], paired: pairing.Pairing | None) -> list[Line]:
    lines = []
    try:
        with opened() as server:
            keys = server.keys()
            lines += [_good(f"Kết nối được máy chủ {server.address}."), _clock(server.ahead())]
            if paired is not None:
                if keys != paired.keys:
                    lines.append(Line(good=False, text="Khoá của máy chủ đã thay đổi từ khi ghép nối.", advice="Ghép nối lại."))
                lines.append(_good(f"Đã ghép nối với tài khoản của {server.me()['name']}."))
    except troubles.Trouble as trouble:
        lines.append(_bad(trouble))
    return lines


def _clock(ahead: timedelta | None) -> Line:
    if ahead is None:
        return _good("Máy chủ không báo giờ nên chưa so được đồng hồ của máy tính.")
    if abs(ahead) <= CLOCK_OFF:
        return _good("Đồng hồ của máy tính khớp với máy chủ.")
    return _bad(troubles.wrong_clock(round(ahead / timedelta(minutes=1))))


def _tokens(modules: Sequence[str], now: datetime) -> list[Line]:
    if not modules:
        return [_bad(troubles.no_driver())]
    usable, lines = [], []
    for module in modules:
        try:
            number = tokens.readers([module])
        except troubles.Trouble as trouble:
            lines.append(_bad(trouble))
            continue
        usable.append(module)
        way = " (gọi trực tiếp)" if tokens.called_directly(module) else ""
        lines.append(_good(f"Có phần mềm điều khiển thiết bị ký: {module.removeprefix(tokens.DIRECT)}{way}."))
        lines.append(_good(f"Khe cắm, đầu đọc: {number}.") if number else _bad(troubles.no_reader()))
    if not usable:
        return lines
    tokens.look_anew(usable)
    try:
        for _, token in tokens.present(usable):
            lines += _token(token)
        found = tokens.certificates(usable)
    except troubles.Trouble as trouble:
        return [*lines, _bad(trouble)]
    if len(found) > 1:
        advice = "Khi đăng ký, chọn trên trang đúng chứng thư số dùng để ký; khi ký, chương trình tự dùng chứng thư số đã được duyệt."
        lines.append(_good(f"Có {len(found)} chứng thư số trên thiết bị.", advice))
    return lines + [line for certificate in found for line in _certificate(certificate, now)]


def _token(token: Any) -> list[Line]:
    name = token.label.strip()
    try:
        tries = tokens.tries_left(token)
    except troubles.Trouble as trouble:
        return [Line(good=False, text=f"{name}: {trouble.cause}", advice=trouble.advice)]
    plugged_in = _good(f"Thiết bị ký đang cắm: {name}.")
    return [plugged_in, Line(good=False, text=f"{name}: {tries}", advice="Kiểm tra kỹ mã PIN trước khi nhập.")] if tries else [plugged_in]


def _certificate(certificate: tokens.TokenCertificate, now: datetime) -> list[Line]:
    name = f"{_name(certificate.x509.subject) or certificate.label} (số {certificate.x509.serial_number:x})"
    issuer = _name(certificate.x509.issuer)
    lines = [_good(f"Chứng thư số: {name}, thiết bị {certificate.token}, do {issuer} cấp.")]
    until = certificate.x509.not_valid_after_utc
    try:
        tokens.usable(certificate, now)
        advice = "Sắp hết hạn: liên hệ nhà cung cấp chữ ký số để gia hạn, rồi đăng ký lại." if until - now < SOON else ""
        lines.append(_good(f"{name}: còn hiệu lực đến {tokens.day(until)}.", advice))
    except troubles.Trouble as trouble:
        lines.append(Line(good=False, text=f"{name}: {trouble.cause}", advice=trouble.advice))
    if _may_sign(certificate.x509):
        lines.append(_good(f"{name}: được phép dùng để ký số."))
    else:
        advice = "Đề nghị nhà cung cấp cấp chứng thư số dùng để ký."
        lines.append(Line(good=False, text=f"{name}: chứng thư số không dùng để ký.", advice=advice))
    return lines


def _name(of: x509.Name) -> str:
    names = of.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment
