"""The error catalogue. A refusal has a code, a cause and what to do (Vietnamese), and an English detail for the API.

Each service lists its own refusals in `services/<name>/errors.py` as `Refusal(...)`; `docs/errors.md` is made from them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """A catalogue entry; `{…}` in the texts is filled from the arguments of `Refused`."""

    code: str
    status: int
    title: str
    cause: str
    action: str
    detail: str


class Refused(Exception):
    """Raised by rules and entries; the web layer turns it into an answer, a batch into the outcome of one item."""

    def __init__(self, refusal: Refusal, **values: object) -> None:
        self.refusal = refusal
        self.values = values
        super().__init__(f"{refusal.code}: {self.detail}")

    @property
    def code(self) -> str:
        return self.refusal.code

    @property
    def cause(self) -> str:
        return self.refusal.cause.format(**self.values)

    @property
    def action(self) -> str:
        return self.refusal.action.format(**self.values)

    @property
    def detail(self) -> str:
        return self.refusal.detail.format(**self.values)


SIGN_IN_NEEDED = Refusal(
    "HB-ACC-401",
    401,
    "Chưa đăng nhập",
    "Chưa đăng nhập hoặc phiên làm việc đã hết hạn.",
    "Đăng nhập lại rồi thực hiện tiếp; những việc đã bấm thực hiện không bị mất.",
    "no valid session",
)
FORBIDDEN = Refusal(
    "HB-ACC-403",
    403,
    "Không có quyền thực hiện",
    "Tài khoản không được phân quyền cho thao tác này.",
    "Liên hệ quản trị viên của đơn vị để được phân quyền.",
    "action {action} is not granted",
)
CONFIRMATION_NEEDED = Refusal(
    "HB-ACC-428",
    403,
    "Cần xác nhận lại danh tính",
    "Thao tác này cần người thực hiện xác nhận danh tính trong vòng 5 phút trước đó.",
    "Xác nhận lại danh tính bằng mật khẩu hoặc mã xác thực rồi thực hiện lại.",
    "a confirmation of identity not older than five minutes is needed",
)
NOT_FOUND = Refusal(
    "HB-WEB-404",
    404,
    "Không tìm thấy",
    "Địa chỉ hoặc dữ liệu được yêu cầu không tồn tại.",
    "Kiểm tra lại địa chỉ, hoặc quay về trang trước.",
    "no such resource",
)
INVALID_INPUT = Refusal(
    "HB-WEB-422",
    422,
    "Dữ liệu gửi lên không hợp lệ",
    "Một hoặc nhiều thông tin không đúng định dạng: {fields}.",
    "Kiểm tra lại các thông tin được nêu rồi gửi lại.",
    "invalid input: {fields}",
)
CONFLICT = Refusal(
    "HB-WEB-409",
    409,
    "Dữ liệu vừa được người khác thay đổi",
    "Trong lúc thao tác, dữ liệu này đã được thay đổi.",
    "Tải lại trang để xem dữ liệu mới rồi thực hiện lại.",
    "the resource was changed concurrently",
)
CROSS_SITE = Refusal(
    "HB-WEB-403",
    403,
    "Yêu cầu bị từ chối",
    "Yêu cầu không xuất phát từ trang của hệ thống.",
    "Mở lại trang từ địa chỉ chính thức rồi thực hiện lại.",
    "cross-site request refused",
)
TOO_LARGE = Refusal(
    "HB-WEB-413",
    413,
    "Tệp quá lớn",
    "Dữ liệu gửi lên vượt quá {limit}.",
    "Chia nhỏ tệp rồi gửi lại.",
    "request larger than {limit}",
)
UNEXPECTED = Refusal(
    "HB-WEB-500",
    500,
    "Hệ thống gặp sự cố",
    "Đã có lỗi ngoài dự kiến; sự cố đã được ghi lại với mã yêu cầu bên dưới.",
    "Thử lại sau ít phút. Nếu vẫn gặp lỗi, gửi mã yêu cầu cho bộ phận hỗ trợ.",
    "unexpected failure",
)
UNAVAILABLE = Refusal(
    "HB-WEB-503",
    503,
    "Hệ thống đang bận",
    "Một thành phần của hệ thống tạm thời chưa sẵn sàng.",
    "Chờ khoảng một phút rồi thử lại; dữ liệu đã lưu không bị mất.",
    "a dependency is unavailable",
)
