"""What a provider's refusal means to the person who signs, and what to do: in Vietnamese, whatever language the provider answers in."""

from __future__ import annotations

from typing import Final

from services.means.remote import Refusal

WORDS: Final[dict[Refusal, tuple[str, str]]] = {
    Refusal.WRONG_LOGIN: (
        "tài khoản ký không tồn tại hoặc thông tin đăng nhập không đúng",
        "Kiểm tra lại tài khoản do nhà cung cấp chữ ký số cấp rồi ký lại.",
    ),
    Refusal.WRONG_SECRET: ("mã PIN hoặc mã OTP không đúng", "Kiểm tra lại mã rồi ký lại; nhập sai nhiều lần thì tài khoản ký bị khóa."),
    Refusal.SESSION_EXPIRED: ("phiên đăng nhập tại nhà cung cấp đã hết hạn", "Ký lại để đăng nhập lại nhà cung cấp chữ ký số."),
    Refusal.CREDENTIAL_LOCKED: ("tài khoản ký đang bị khóa", "Liên hệ nhà cung cấp chữ ký số để mở khóa rồi ký lại."),
    Refusal.UNKNOWN_CREDENTIAL: (
        "nhà cung cấp không còn chứng thư số đã đăng ký",
        "Đăng ký lại chứng thư số đang dùng, chờ phê duyệt rồi ký lại.",
    ),
    Refusal.CERTIFICATE_EXPIRED: (
        "chứng thư số đã hết hạn, bị thu hồi hoặc bị tạm dừng",
        "Gia hạn hoặc đăng ký chứng thư số còn hiệu lực rồi ký lại.",
    ),
    Refusal.HASH_NOT_AUTHORISED: (
        "tài liệu không thuộc phần đã xác nhận",
        "Ký lại; nếu lặp lại, báo cho nhà cung cấp chữ ký số và bộ phận hỗ trợ.",
    ),
    Refusal.AUTHORISATION_EXPIRED: ("lượt xác nhận đã hết hiệu lực", "Ký lại và xác nhận lại."),
    Refusal.UNKNOWN_TRANSACTION: ("nhà cung cấp không còn giữ giao dịch ký này", "Ký lại và xác nhận lại."),
    Refusal.TOO_MANY: ("số tài liệu vượt mức cho phép của một lượt xác nhận", "Chọn ít học bạ hơn cho mỗi lượt rồi ký lại."),
    Refusal.OUT_OF_QUOTA: ("gói dịch vụ đã hết lượt ký", "Mua thêm lượt ký tại nhà cung cấp chữ ký số rồi ký lại."),
    Refusal.SECRET_NEEDED: (
        "tài khoản ký yêu cầu mã PIN hoặc mã OTP",
        "Đổi cách xác nhận tại nhà cung cấp chữ ký số sang xác nhận trên điện thoại rồi ký lại.",
    ),
    Refusal.SERVICE_REFUSED: (
        "nhà cung cấp không chấp nhận kết nối của hệ thống",
        "Báo cho quản trị hệ thống; học bạ vẫn ở mục Chờ ký.",
    ),
    Refusal.REJECTED: ("người ký đã từ chối", "Nếu từ chối do nhầm, chọn lại học bạ và ký lại."),
    Refusal.OTHER: ("nhà cung cấp không nêu lý do mà hệ thống biết", "Ký lại; nếu lặp lại, báo cho bộ phận hỗ trợ kèm mã lỗi."),
}
"""The cause, as the end of a sentence, and what to do."""
