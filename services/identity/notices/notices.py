"""What people are told about certificates and requests to correct: whom it concerns, and in which words. A notice is one person's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from contracts.access import Role
from services.chassis.web.look import vn_date
from services.identity.organisations.people import is_manager

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from contracts.events.records import CorrectionDecidedV1
    from services.chassis.mongo import Document

What = Literal["approved", "refused", "revoked", "suspended", "resumed", "expired", "expiring", "ended", "unchecked"]
LASTING: frozenset[str] = frozenset({"revoked", "expired", "expiring"})
"""Facts of the certificate itself: somebody who registered it for two school years is told once."""
OF_SCHOOL = frozenset({Role.ADMINISTRATOR, Role.MANAGER, Role.ISSUER})
TONES: dict[str, str] = {
    "approved": "success",
    "resumed": "success",
    "expiring": "warning",
    "unchecked": "warning",
    "suspended": "danger",
    "refused": "danger",
    "revoked": "danger",
    "expired": "danger",
    "ended": "danger",
    "correction forwarded": "warning",
    "correction approved": "success",
    "correction refused": "danger",
}
STATUS: dict[str, str] = {
    "approved": "Đã duyệt",
    "refused": "Từ chối",
    "revoked": "Đã bị thu hồi",
    "suspended": "Tạm dừng",
    "resumed": "Dùng lại được",
    "expired": "Hết hạn",
    "expiring": "Sắp hết hạn",
    "ended": "Hết hiệu lực",
    "unchecked": "Chưa kiểm tra được",
    "correction forwarded": "Chờ phê duyệt",
    "correction approved": "Đã phê duyệt",
    "correction refused": "Bị từ chối",
}


def concerned(registration: Document, people: Iterable[Document]) -> list[str]:
    """Of the school's certificate those who look after it; of a manager's the owner and the administrators; else the owner."""
    staff = {person["_id"]: person for person in people}
    if registration["kind"] == "school":
        return sorted(code for code, person in staff.items() if OF_SCHOOL & set(person["roles"]))
    owner = staff.get(registration["owner"])
    told = {registration["owner"]}
    if owner is not None and is_manager(owner):
        told |= {code for code, person in staff.items() if Role.ADMINISTRATOR in person["roles"]}
    return sorted(told)


def made(
    registration: Document, what: What, people: Iterable[Document], *, at: datetime, reason: str = "", days: int | None = None
) -> list[Document]:
    """One notice for everybody concerned. The same fact gives the same ids, so telling it again changes nothing."""
    assert what in get_args(What)
    staff = list(people)
    owner = next((person["name"] for person in staff if person["_id"] == registration["owner"]), "")
    of = registration["sha256"] if what in LASTING else f"{registration['_id']}:{registration.get('sequence', 0)}"
    return [
        {
            "_id": f"{what}{'' if days is None else days}:{of}:{person}",
            "person": person,
            "school": registration["school"],
            "what": what,
            "kind": registration["kind"],
            "own": registration["owner"] == person,
            "owner": owner,
            "subject": registration["facts"]["subject"],
            "serial": registration["facts"]["serial"],
            "valid_to": registration["facts"]["valid_to"],
            "reason": reason,
            "days": days,
            "at": at,
            "read_at": None,
        }
        for person in concerned(registration, staff)
    ]


def of_correction(fact: CorrectionDecidedV1, request: str, people: Iterable[str], *, at: datetime) -> list[Document]:
    """The managers hear that a request waits for them, the asker what came of it; nobody of an own request that waits."""
    return [
        {
            "_id": f"correction:{request}:{fact.outcome}:{person}",
            "person": person,
            "school": fact.school,
            "what": f"correction {fact.outcome}",
            "kind": "correction",
            "own": person == fact.asker,
            "owner": "",
            "subject": f"Phiếu số {fact.number}, lớp {fact.class_name}",
            "serial": f"Năm học {fact.year}",
            "reason": fact.reason,
            "days": None,
            "at": at,
            "read_at": None,
        }
        for person in people
        if fact.outcome != "forwarded" or person != fact.asker
    ]


def title(notice: Document) -> str:
    if notice["kind"] == "correction":
        asked = {
            "correction forwarded": f"{notice['subject']}: đề nghị sửa dữ liệu chờ phê duyệt",
            "correction approved": f"{notice['subject']}: đề nghị sửa dữ liệu đã được phê duyệt",
            "correction refused": f"{notice['subject']}: đề nghị sửa dữ liệu bị từ chối",
        }
        return asked[notice["what"]]
    if notice["kind"] == "school":
        whose, account = "Chứng thư số nhà trường", "Chứng thư số nhà trường"
    elif notice["own"]:
        whose, account = "Chứng thư số của thầy/cô", "Tài khoản ký của thầy/cô"
    else:
        whose, account = f"Chứng thư số của {notice['owner']}", f"Tài khoản ký của {notice['owner']}"
    words = {
        "approved": f"{account} đã được duyệt",
        "refused": f"{account} bị từ chối duyệt",
        "revoked": f"{whose} đã bị thu hồi",
        "suspended": f"{whose} đang bị đơn vị cấp tạm dừng",
        "resumed": f"{whose} dùng lại được",
        "expired": f"{whose} đã hết hạn",
        "expiring": f"{whose} còn không quá {notice['days']} ngày là hết hạn",
        "ended": f"{account} không còn hiệu lực",
        "unchecked": f"{whose} đã hơn 24 giờ chưa kiểm tra được",
    }
    return words[notice["what"]]


def body(notice: Document) -> str:
    """What it means and what to do."""
    if notice["kind"] == "correction":
        there = "tại mục Phiếu đề nghị sửa dữ liệu"
        decided = {
            "correction forwarded": f"Xem nội dung, minh chứng rồi phê duyệt hoặc từ chối {there}.",
            "correction approved": f"Các bên xác nhận chứng kiến mở khóa {there}, sau đó thầy/cô sửa dữ liệu.",
            "correction refused": f"Lý do: {notice['reason']} Lập phiếu mới {there} nếu cần.",
        }
        return decided[notice["what"]]
    where = "tại mục 1.1. Quản lý chứng thư số nhà trường" if notice["kind"] == "school" else "tại mục 1.2. Giáo viên đăng ký tài khoản ký"
    again = f"Từ lúc này không ký được bằng chứng thư số này. Đăng ký chứng thư số khác {where}."
    words = {
        "approved": "Chứng thư số này được dùng để ký từ lúc này.",
        "refused": f"Lý do: {notice['reason']} Đăng ký lại {where}.",
        "revoked": f"{notice['reason']} {again}",
        "suspended": "Từ lúc này không ký được. Hệ thống tự cho ký lại khi đơn vị cấp chứng thư số bỏ tạm dừng; "
        "nếu không rõ lý do, liên hệ nhà cung cấp chứng thư số.",
        "resumed": "Đơn vị cấp chứng thư số đã bỏ tạm dừng, thầy/cô ký tiếp được.",
        "expired": again,
        "expiring": f"Hết hạn ngày {vn_date(notice['valid_to'])}. Gia hạn tại nhà cung cấp rồi đăng ký lại {where} trước ngày đó.",
        "ended": f"Lý do: {notice['reason']} {again}",
        "unchecked": "Hệ thống của đơn vị cấp chứng thư số không trả lời. Vẫn ký được; hệ thống tiếp tục kiểm tra.",
    }
    return words[notice["what"]]
