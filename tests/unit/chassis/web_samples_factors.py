"""Pages of second factors and of confirming anew, filled in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from services.identity.accounts import totp
from tests.unit.chassis.web_samples_base import MOMENT, OUTSIDE, Sample, shell, variants


def factors() -> Iterator[Sample]:
    asked: dict[str, Any] = {
        "shell": OUTSIDE,
        "title": "Xác thực hai lớp",
        "action": "/identity/second-factor",
        "sign_out": "/identity/sign-out",
        "next": "/records/classes",
        "has_passkey": True,
        "errors": {},
    }
    yield Sample("identity/second_factor", "identity/second_factor.html", asked)
    yield Sample(
        "identity/second_factor-error", "identity/second_factor.html", {**asked, "errors": {"code": "Mã xác thực không đúng."}, "next": ""}
    )
    yield from variants(
        "identity/factors",
        lambda rows: {
            "shell": shell(),
            "title": "Xác thực hai lớp",
            "missing": rows == 0,
            "required": True,
            "rows": [
                {
                    "id": f"{number:032x}",
                    "kind": "passkey" if number % 2 else "totp",
                    "name": "Khoá truy cập (Chrome trên Windows)" if number % 2 else "Điện thoại của tôi",
                    "created_at": MOMENT,
                    "used_at": MOMENT if number else None,
                }
                for number in range(min(rows, 10))
            ],
            "spare_codes": 10,
            "app_action": "/identity/factors/totp/begin",
            "passkey_action": "/identity/factors/passkeys",
            "remove_action": "/identity/factors/remove",
            "codes_action": "/identity/factors/spare-codes",
            "errors": {},
        },
    )
    app = {
        "shell": shell(),
        "title": "Thêm ứng dụng xác thực",
        "action": "/identity/factors/totp",
        "picture": Markup(totp.picture_of("otpauth://totp/x:1?secret=GEZDGNBVGY3TQOJQ&issuer=x")),
        "secret": "GEZD GNBV GY3T QOJQ",
        "cancel_href": "/identity/factors",
        "errors": {},
    }
    yield Sample("identity/totp", "identity/totp.html", app)
    yield Sample("identity/totp-error", "identity/totp.html", {**app, "errors": {"code": "Mã xác thực không đúng."}})
    codes = [f"abcd{number}-efgh{number}-jkmn{number}" for number in range(2, 10)]
    yield Sample(
        "identity/spare_codes",
        "identity/spare_codes.html",
        {"shell": shell(), "title": "Mã dự phòng", "codes": codes, "onward": "/identity/factors"},
    )
    kept = {"action": "/publishing/submissions", "fields": (("ids", "a"), ("ids", "b")), "own": True}
    yield Sample("identity/confirmed", "identity/confirmed.html", {"shell": shell(), "title": "Đã xác nhận", **kept})
    confirming = {
        "shell": shell(),
        "title": "Cần xác nhận lại danh tính",
        "action": "/identity/confirm",
        "username": "huonggiang",
        "target": "/publishing/submissions",
        "fields": [("kept.ids", "a"), ("kept.ids", "b")],
        "cancel_href": "/",
    }
    yield Sample("chassis/confirm_identity", "chassis/confirm_identity.html", {**confirming, "second_factor": False, "errors": {}})
    wrong = {"second_factor": True, "errors": {"code": "Mã xác thực không đúng."}, "target": ""}
    yield Sample("chassis/confirm_identity-error", "chassis/confirm_identity.html", {**confirming, **wrong})
