"""The command `hocba-agent`."""

from __future__ import annotations

import argparse
import contextlib
import functools
import getpass
import sys
from typing import TYPE_CHECKING

from hocba_agent import __version__, doctor, drivers, pairing, running, tokens, troubles
from hocba_agent.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FAILED, NOT_PAIRED = 1, 3
"""Exit statuses; argparse's own for a wrong command line is 2."""

MODULE_HELP = "tệp PKCS#11 của thiết bị ký, khi không tự tìm thấy; thêm direct: phía trước để gọi trực tiếp khi thiết bị ký báo lỗi"

say: Callable[[str], None] = functools.partial(print, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 when all is well, 3 when the agent must be paired (again), 1 for other trouble."""
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.act(asked))
    except troubles.Trouble as trouble:
        say(trouble.words)
        return NOT_PAIRED if trouble.code == "not_paired" else FAILED
    except KeyboardInterrupt:
        say("Đã dừng chương trình ký số.")
        return 0


def run() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a replaced stream decides for itself
            stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # TextIO does not have it, the real ones do
    raise SystemExit(main())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hocba-agent", description="Chương trình ký số: dùng thiết bị ký (USB Token) với Học bạ số.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="LỆNH")
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--module", action="append", default=[], metavar="TỆP", help=MODULE_HELP)
    trust = argparse.ArgumentParser(add_help=False)
    trust.add_argument("--ca", metavar="TỆP", help="chứng thư của đơn vị cấp cho máy chủ, khi máy tính chưa tin cậy (PEM)")

    pair = commands.add_parser("pair", parents=[options, trust], help="ghép nối với tài khoản")
    pair.add_argument("--server", required=True, metavar="ĐỊA_CHỈ", help="địa chỉ máy chủ, bắt đầu bằng https://")
    pair.add_argument("code", metavar="MÃ", help="mã trên trang Chương trình ký số")
    pair.set_defaults(act=_pair)
    commands.add_parser("run", parents=[options], help="chờ và thực hiện yêu cầu ký").set_defaults(act=_run)
    doctors = commands.add_parser("doctor", parents=[options, trust], help="kiểm tra máy tính và thiết bị ký")
    doctors.add_argument("--server", default="", metavar="ĐỊA_CHỈ", help="địa chỉ máy chủ để kiểm tra khi chưa ghép nối")
    doctors.set_defaults(act=_doctor)
    opened = commands.add_parser("open", parents=[options, trust], help="mở liên kết hocba: trên trang của hệ thống")
    opened.add_argument("link", metavar="LIÊN_KẾT")
    opened.set_defaults(act=_open)
    return parser


def _pair(asked: argparse.Namespace) -> int:
    return _pair_with(pairing.checked_server(asked.server), asked.code, asked)


def _pair_with(address: str, code: str, asked: argparse.Namespace) -> int:
    modules = tuple(asked.module)
    if not drivers.find(modules):
        say("Không tự tìm thấy phần mềm điều khiển thiết bị ký.")
        typed = _input("Đường dẫn tệp PKCS#11 (bỏ trống để cài sau): ").strip()
        modules = (typed,) if typed else ()
    with Server(address, asked.ca) as server:
        made = server.pair(code.strip(), modules)
    pairing.save(made, pairing.folder())
    say(f"Đã ghép nối với tài khoản của {made.name}. Chạy tiếp: hocba-agent run")
    return 0


def _run(asked: argparse.Namespace) -> int:
    running.run(pairing.folder(), asked.module, ask_pin=getpass.getpass, say=say)
    return 0


def _doctor(asked: argparse.Namespace) -> int:
    lines = doctor.examine(pairing.folder(), asked.module, tokens.now(), server=asked.server, ca=asked.ca)
    for line in lines:
        say(str(line))
    return 0 if all(line.good for line in lines) else FAILED


def _open(asked: argparse.Namespace) -> int:
    """Any page can open such a link, so the person decides whether this is the server to be paired with; starting to wait harms nobody."""
    if asked.link.rstrip("/").replace("//", "") == pairing.RUN_LINK:
        return _run(asked)
    address, code = pairing.from_link(asked.link)
    if _input(f"Ghép nối chương trình ký số với máy chủ {address}? Gõ C rồi Enter để đồng ý: ").strip().casefold() != "c":
        raise troubles.cancelled()
    _pair_with(address, code, asked)
    return _run(asked)


def _input(prompt: str) -> str:
    """ "" where nobody can type."""
    try:
        return input(prompt)
    except EOFError:
        return ""


if __name__ == "__main__":
    run()
