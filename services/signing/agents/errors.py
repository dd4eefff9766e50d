"""What is said when a batch with a token does not go well: to the signing program, and of each item to the person."""

from __future__ import annotations

from typing import Final

from services.chassis.errors import Refusal

UNKNOWN_JOB = Refusal(
    "HB-SIG-050",
    404,
    "Không có yêu cầu ký này",
    "Yêu cầu ký không tồn tại hoặc không dành cho chương trình ký số này.",
    "Xem lại đợt ký trên trang của hệ thống.",
    "no such signing job for this agent",
)
JOB_OVER = Refusal(
    "HB-SIG-051",
    409,
    "Yêu cầu ký đã kết thúc",
    "Đợt ký đã kết thúc, đã dừng, hoặc đang được thực hiện trên máy tính khác.",
    "Xem kết quả đợt ký trên trang của hệ thống.",
    "the signing job is over or with another agent",
)
NO_AGENT = Refusal(
    "HB-SIG-052",
    409,
    "Chưa mở chương trình ký số",
    "Chương trình ký số chưa kết nối trong thời gian quy định.",
    "Mở chương trình ký số trên máy tính có cắm USB Token (xem trang Chương trình ký số) rồi ký lại.",
    "no agent took the job in time",
)
NO_PIN = Refusal(
    "HB-SIG-053",
    409,
    "Chưa nhập mã PIN",
    "Chưa nhập mã PIN trên chương trình ký số trong thời gian quy định.",
    "Ký lại và nhập mã PIN khi chương trình ký số hỏi.",
    "the PIN was not given in time",
)
AGENT_LOST = Refusal(
    "HB-SIG-054",
    409,
    "Chương trình ký số mất kết nối",
    "Chương trình ký số đã tắt hoặc mất kết nối khi chưa ký xong học bạ này.",
    "Mở lại chương trình ký số rồi ký lại các mục lỗi; những học bạ đã ký được giữ nguyên.",
    "the agent went away in the middle",
)
UNPLUGGED = Refusal(
    "HB-SIG-055",
    409,
    "Không thấy USB Token",
    "USB Token chưa được cắm hoặc bị rút ra khi chưa ký xong học bạ này.",
    "Cắm lại USB Token rồi ký lại các mục lỗi; những học bạ đã ký được giữ nguyên.",
    "the token is not plugged in",
)
PIN_WRONG = Refusal(
    "HB-SIG-056",
    409,
    "Mã PIN không đúng",
    "Mã PIN của thiết bị ký không đúng.",
    "Kiểm tra lại mã PIN rồi thực hiện lại; nhập sai nhiều lần thì thiết bị bị khoá.",
    "the PIN was wrong",
)
PIN_LOCKED = Refusal(
    "HB-SIG-057",
    409,
    "USB Token bị khoá mã PIN",
    "Thiết bị ký đã bị khoá mã PIN.",
    "Liên hệ nhà cung cấp chữ ký số để mở khoá.",
    "the PIN is locked",
)
NO_CERTIFICATE = Refusal(
    "HB-SIG-059",
    409,
    "Không thấy chứng thư số trên USB Token",
    "Không tìm thấy chứng thư số trên thiết bị ký.",
    "Kiểm tra lại thiết bị ký đang cắm.",
    "the token does not hold the certificate",
)
CERTIFICATE_OUT_OF_DATE = Refusal(
    "HB-SIG-060",
    409,
    "Chứng thư số trên USB Token không còn hiệu lực",
    "Chứng thư số trên thiết bị ký đã hết hạn hoặc chưa có hiệu lực.",
    "Liên hệ nhà cung cấp để gia hạn chứng thư số.",
    "the certificate is out of date",
)
NO_DRIVER = Refusal(
    "HB-SIG-061",
    409,
    "Thiếu phần mềm của USB Token",
    "Máy tính chưa có phần mềm điều khiển thiết bị ký.",
    "Cài phần mềm của nhà cung cấp chữ ký số, sau đó mở lại chương trình ký số.",
    "the driver is missing",
)
CANCELLED = Refusal(
    "HB-SIG-062",
    409,
    "Đã bỏ qua trên chương trình ký số",
    "Đã bỏ qua yêu cầu trên chương trình ký số.",
    "Thực hiện lại và nhập mã PIN khi chương trình hỏi.",
    "the person left the PIN empty",
)
TOKEN_FAILED = Refusal(
    "HB-SIG-063",
    409,
    "USB Token báo lỗi",
    "Thiết bị ký không thực hiện được yêu cầu.",
    "Rút thiết bị ký, cắm lại rồi thực hiện lại.",
    "the token failed",
)
REFUSED = Refusal(
    "HB-SIG-064",
    409,
    "Chương trình ký số không chấp nhận",
    "Chương trình ký số nhận thấy tệp nhận được không khớp với nội dung cần ký nên đã không ký.",
    "Ký lại; nếu lặp lại, không ký tiếp và báo ngay cho bộ phận hỗ trợ.",
    "the agent found another document or hash than it was told of",
)
REFUSALS: Final[dict[str, Refusal]] = {
    "pin_wrong": PIN_WRONG,
    "pin_locked": PIN_LOCKED,
    "no_token": UNPLUGGED,
    "no_certificate": NO_CERTIFICATE,
    "certificate_out_of_date": CERTIFICATE_OUT_OF_DATE,
    "no_driver": NO_DRIVER,
    "cancelled": CANCELLED,
    "token_failed": TOKEN_FAILED,
    "refused": REFUSED,
    "no_agent": NO_AGENT,
    "no_pin": NO_PIN,
    "lost": AGENT_LOST,
    "unplugged": UNPLUGGED,
}
"""By what the agent answers (`token.FAILURES`), and by what is missing when nothing comes any more."""
STATES: Final = {CANCELLED.code: "refused", NO_AGENT.code: "expired", NO_PIN.code: "expired"}
"""Of items that ended so; the others have failed."""
