"""Contexts of the pages 1.1 and 1.2 and of the proof that the key is held."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from tests.unit.chassis.web_samples_base import MOMENT, Sample, shell

ROWS = [
    ("Chủ sở hữu", "Nguyễn Thị Hương Giang"),
    ("Số định danh cá nhân", "•••••••••123"),
    ("Đơn vị cấp", "Thử nghiệm: CA công cộng"),
    ("Số sê-ri", "540102030405060708090A0B0C0D0E0F"),
    ("Hiệu lực", "Từ 01/03/2026 đến 01/03/2027"),
    ("Thời hạn còn lại", "277 ngày"),
    ("Thuật toán", "RSA 2048 bit, SHA-256"),
    ("Mục đích sử dụng", "Ký số, Cam kết nội dung (chống chối bỏ)"),
]
FORM = {"means": "remote", "provider": "", "providers": [("", "Chọn nhà phát hành"), ("a", "Nhà cung cấp A")], "reason": ""}


def registering() -> Iterator[Sample]:
    yield from _account()
    yield from _school()
    yield from _login()
    yield from _proof()


def _registered(**more: Any) -> dict[str, Any]:
    return {"rows": ROWS, "requested_at": MOMENT, "decided_at": None, "refusal": "", **more}


def _account() -> Iterator[Sample]:
    nothing: dict[str, Any] = {
        "shell": shell(),
        "title": "Giáo viên đăng ký tài khoản ký",
        "crumb": "1. Hệ thống / 1.2. Giáo viên đăng ký tài khoản ký",
        "state": "NOT_REGISTERED",
        "state_name": "Chưa đăng ký",
        "until_decided": "Quản trị viên hoặc cán bộ quản lý của trường duyệt tại mục 1.3. Duyệt tài khoản ký.",
        "latest": None,
        "active": None,
        "under_way": "/identity/proofs/1",
        "form": FORM,
        "action": "/identity/signing-account/",
        "copy_action": "/identity/signing-account/copy",
        "picture_href": "/identity/images/signature",
        "errors": {},
    }
    page = "identity/signing_account.html"
    yield Sample("identity/signing_account", page, nothing)
    errors = {"means": "Chọn kiểu chữ ký.", "provider": "Chọn nhà phát hành."}
    yield Sample("identity/signing_account-error", page, {**nothing, "errors": errors})
    waits = {"state": "PENDING", "state_name": "Đã đăng ký, chờ duyệt", "latest": _registered(), "active": _registered(decided_at=MOMENT)}
    yield Sample("identity/signing_account-waits", page, {**nothing, **waits, "form": None, "under_way": "", "copy_action": ""})
    refused = {"state": "REFUSED", "state_name": "Từ chối duyệt", "latest": _registered(decided_at=MOMENT, refusal="Nhầm chứng thư số cũ")}
    yield Sample("identity/signing_account-refused", page, {**nothing, **refused})


def _school() -> Iterator[Sample]:
    states = (("APPROVED", "Đã duyệt"), ("REFUSED", "Từ chối"), ("PENDING", "Chờ duyệt đăng ký"), ("REPLACED", "Đã thay thế"))
    nothing: dict[str, Any] = {
        "shell": shell(),
        "title": "Quản lý chứng thư số nhà trường",
        "crumb": "1. Hệ thống / 1.1. Quản lý chứng thư số nhà trường",
        "state": "NOT_REGISTERED",
        "state_name": "Chưa đăng ký",
        "asked": "",
        "asked_state": "NOT_REGISTERED",
        "latest": None,
        "active": None,
        "under_way": "",
        "form": FORM,
        "again": False,
        "button": "Đăng ký tài khoản",
        "action": "/identity/school-certificate",
        "copy_action": "/identity/school-certificate/copy",
        "picture_href": "/identity/images/seal",
        "history": [],
        "errors": {},
    }
    page = "identity/school_certificate.html"
    yield Sample("identity/school_certificate", page, nothing)
    again = {
        "state": "APPROVED",
        "state_name": "Đã duyệt",
        "asked": "Từ chối",
        "asked_state": "REFUSED",
        "latest": _registered(refusal="Sai tên trường"),
        "active": _registered(decided_at=MOMENT),
        "under_way": "/identity/proofs/1",
        "again": True,
        "button": "Gửi yêu cầu đăng ký lại",
        "copy_action": "",
        "history": [_request(*states[number % 4], number) for number in range(8)],
    }
    yield Sample("identity/school_certificate-again", page, {**nothing, **again})
    yield Sample("identity/school_certificate-error", page, {**nothing, **again, "errors": {"reason": "Chưa nêu lý do."}})


def _request(state: str, state_name: str, number: int) -> dict[str, Any]:
    return {
        "year": "2025-2026",
        "requested_at": MOMENT,
        "person": "Trần Văn Thư",
        "means": "USB Token" if number % 2 else "Remote Signing",
        "provider": "" if number % 2 else "Nhà cung cấp A",
        "subject": "Trường Tiểu học An Hồng",
        "serial": "540102030405060708090A0B0C0D0E0F",
        "valid_from": MOMENT,
        "valid_to": MOMENT + dt.timedelta(days=365),
        "reason": "Đổi nhà cung cấp" if number % 3 else "",
        "state": state,
        "state_name": state_name,
        "refusal": "Sai tên trường" if state == "REFUSED" else "",
        "decided_at": None if state == "PENDING" else MOMENT,
        "decided_by": "" if state == "PENDING" else "Phạm Văn Lâm",
    }


def _login() -> Iterator[Sample]:
    asked: dict[str, Any] = {
        "shell": shell(),
        "title": "Thông tin đăng nhập chữ ký số",
        "crumb": "1. Hệ thống / 1.2. Giáo viên đăng ký tài khoản ký",
        "action": "/identity/signing-account/login",
        "cancel_href": "/identity/signing-account/",
        "provider": "a",
        "provider_name": "Nhà cung cấp A",
        "asks_password": True,
        "reason": "Đổi nhà cung cấp",
        "username": "",
        "errors": {},
    }
    yield Sample("identity/provider_login", "identity/provider_login.html", asked)
    errors = {"username": "Thông tin thẻ không tồn tại hoặc không đúng", "password": "Nhập mật khẩu."}
    yield Sample("identity/provider_login-phone-alone", "identity/provider_login.html", {**asked, "asks_password": False})
    yield Sample("identity/provider_login-error", "identity/provider_login.html", {**asked, "username": "giang", "errors": errors})


def _proof() -> Iterator[Sample]:
    common = {"shell": shell(), "crumb": "1. Hệ thống / 1.2. Giáo viên đăng ký tài khoản ký", "back_href": "/identity/signing-account/"}
    problem = {"text": "Chứng thư số đã hết hạn từ ngày 01/03/2026.", "action": "Gia hạn chứng thư số rồi đăng ký lại."}
    offers = [
        {"id": f"c{number}", "subject": "Nguyễn Thị Hương Giang", "serial": f"5401{number}", "rows": ROWS, "problems": problems}
        for number, problems in enumerate(([], [problem], []))
    ]
    choice: dict[str, Any] = {
        **common,
        "title": "Chọn chứng thư số",
        "action": "/identity/proofs/1",
        "offers": offers,
        "secrets": [],
        "errors": {},
    }
    page = "identity/certificate_choice.html"
    yield Sample("identity/certificate_choice", page, choice)
    secrets = [
        {"field": "password-0", "label": "Mã PIN", "digits": True, "sent": False},
        {"field": "password-1", "label": "Mã OTP gửi qua tin nhắn", "digits": True, "sent": True},
    ]
    yield Sample("identity/certificate_choice-secrets", page, {**choice, "secrets": secrets, "errors": {"password-0": "Nhập Mã PIN."}})
    yield Sample("identity/certificate_choice-error", page, {**choice, "errors": {"credential": "Chọn một chứng thư số."}})
    yield Sample("identity/certificate_choice-unfit", page, {**choice, "offers": offers[1:2]})
    waits: dict[str, Any] = {
        **common,
        "title": "Chờ xác nhận ký số",
        "action": "/identity/proofs/1",
        "running": True,
        "state_name": "Chờ xác nhận ký số",
        "tone": "waiting",
        "means": "Remote Signing",
        "cause": "",
        "what_to_do": "Mở ứng dụng xác nhận ký số trên điện thoại và xác nhận.",
        "challenge": "CHỨNG MINH ĐANG GIỮ KHOÁ KÝ SỐ - KHÔNG PHẢI KÝ TÀI LIỆU\nMáy chủ: https://localhost:8443\n",
        "provider_href": "",
        "until": MOMENT,
        "rows": ROWS,
        "errors": {},
    }
    yield Sample("identity/proof", "identity/proof.html", waits)
    over = {
        "title": "Không xác nhận được",
        "running": False,
        "state_name": "Không xác nhận được",
        "tone": "danger",
        "cause": "Yêu cầu xác nhận ký số đã bị từ chối trên điện thoại hoặc trên công cụ ký.",
        "what_to_do": "Đăng ký lại và chọn đồng ý khi được hỏi.",
        "challenge": "",
    }
    there = {"what_to_do": "Đến trang của nhà cung cấp chữ ký số, đăng nhập và đồng ý.", "provider_href": "/identity/proofs/1/provider"}
    yield Sample("identity/proof-page", "identity/proof.html", {**waits, **there})
    yield Sample("identity/proof-refused", "identity/proof.html", {**waits, **over})
