"""What can go wrong, in plain words: what happened and what the person can do. The server gets the code alone."""

from __future__ import annotations


class Trouble(Exception):
    """`code` is one of those that the server knows (`pin_wrong`, `no_token` …), or one of the agent's own."""

    def __init__(self, code: str, cause: str, advice: str) -> None:
        self.code = code
        self.cause = cause
        self.advice = advice
        super().__init__(f"{code}: {cause}")

    @property
    def words(self) -> str:
        return f"{self.cause} {self.advice}"


FINAL_TRY = "Chỉ còn 1 lần nhập; nếu sai nữa thiết bị ký sẽ bị khoá."
TRIES_LOW = "Đã nhập sai ít nhất một lần; nhập sai liên tiếp nhiều lần thì thiết bị ký sẽ bị khoá."


def wrong_pin(warning: str) -> Trouble:
    """`warning` is what the token says about the tries that are left, "" when it says nothing."""
    return Trouble(
        "pin_wrong", "Mã PIN không đúng.", warning or "Kiểm tra lại mã PIN; nhập sai liên tiếp nhiều lần thì thiết bị ký sẽ bị khoá."
    )


def locked_pin() -> Trouble:
    return Trouble(
        "pin_locked",
        "Thiết bị ký đã bị khoá mã PIN do nhập sai quá số lần cho phép.",
        "Liên hệ nhà cung cấp chữ ký số để mở khoá; không nhập thêm.",
    )


def no_token() -> Trouble:
    return Trouble(
        "no_token",
        "Không tìm thấy thiết bị ký (USB Token), hoặc thiết bị vừa bị rút ra.",
        "Cắm thiết bị ký vào máy tính, chờ đèn sáng rồi thực hiện lại.",
    )


def no_reader() -> Trouble:
    return Trouble(
        "no_token",
        "Phần mềm điều khiển không thấy khe cắm hay đầu đọc thẻ nào.",
        "Thử cổng USB khác, khởi động lại máy tính; trên Linux cần dịch vụ pcscd đang chạy.",
    )


def no_certificate() -> Trouble:
    return Trouble(
        "no_certificate",
        "Không tìm thấy chứng thư số trên thiết bị ký đang cắm.",
        "Kiểm tra đã cắm đúng thiết bị; nếu đúng, liên hệ nhà cung cấp chữ ký số.",
    )


def expired_certificate(until: str) -> Trouble:
    return Trouble("certificate_out_of_date", f"Chứng thư số đã hết hạn ngày {until}.", "Liên hệ nhà cung cấp chữ ký số để gia hạn.")


def early_certificate(since: str) -> Trouble:
    return Trouble("certificate_out_of_date", f"Chứng thư số đến ngày {since} mới có hiệu lực.", "Kiểm tra ngày giờ của máy tính.")


def no_driver() -> Trouble:
    return Trouble(
        "no_driver",
        "Máy tính chưa có phần mềm điều khiển thiết bị ký.",
        "Cài phần mềm do nhà cung cấp chữ ký số phát hành, hoặc chỉ ra tệp PKCS#11 bằng tuỳ chọn --module.",
    )


def broken_driver(module: str) -> Trouble:
    return Trouble(
        "no_driver",
        f"Không mở được phần mềm điều khiển thiết bị ký {module}.",
        "Cài lại phần mềm do nhà cung cấp chữ ký số phát hành, đúng loại 64 bit của máy tính.",
    )


def cancelled() -> Trouble:
    return Trouble("cancelled", "Đã bỏ qua, chưa ký gì.", "Thực hiện lại từ trang của hệ thống nếu vẫn cần.")


def token_failed(what: str) -> Trouble:
    return Trouble("token_failed", f"Thiết bị ký báo lỗi {what}.", "Rút thiết bị ký, cắm lại rồi thực hiện lại.")


def refused(why: str) -> Trouble:
    return Trouble(
        "refused",
        f"Không thực hiện yêu cầu: {why}.",
        "Nếu vừa thực hiện trên trang của hệ thống, hãy ghép nối lại; nếu không, báo cho quản trị viên.",
    )


def untrusted(why: str) -> Trouble:
    return Trouble(
        "untrusted",
        f"Nhận được một yêu cầu không đúng là của máy chủ đã ghép nối ({why}); đã bỏ qua.",
        "Nếu thấy lại nhiều lần, báo cho quản trị viên.",
    )


def not_paired() -> Trouble:
    return Trouble(
        "not_paired",
        "Chương trình chưa ghép nối với tài khoản, hoặc lần ghép nối đã kết thúc.",
        "Mở trang Chương trình ký số, lấy mã ghép nối rồi chạy: hocba-agent pair --server ĐỊA_CHỈ MÃ.",
    )


def wrong_clock(minutes: int) -> Trouble:
    """`minutes`: how far the computer is ahead of the server; negative: behind."""
    side = "nhanh" if minutes > 0 else "chậm"
    return Trouble(
        "wrong_clock",
        f"Đồng hồ của máy tính {side} hơn máy chủ {abs(minutes)} phút.",
        "Bật tự động đặt ngày giờ trên máy tính rồi chạy lại; giờ sai thì yêu cầu ký bị coi là hết hạn.",
    )


def unreachable() -> Trouble:
    return Trouble("unreachable", "Không kết nối được máy chủ.", "Kiểm tra mạng Internet và địa chỉ máy chủ.")


def untrusted_server() -> Trouble:
    return Trouble(
        "untrusted_server",
        "Không kiểm chứng được máy chủ: chứng thư số của trang không được máy tính tin cậy.",
        "Kiểm tra lại địa chỉ và ngày giờ của máy tính. Không tiếp tục nếu không chắc đó là máy chủ chính thức.",
    )


def wrong_server(why: str) -> Trouble:
    return Trouble("wrong_server", f"Địa chỉ máy chủ không hợp lệ: {why}.", "Dùng đúng địa chỉ trên trang Chương trình ký số.")
