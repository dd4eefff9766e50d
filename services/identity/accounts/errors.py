"""What is refused about recovering accounts, and about accounts of people who have left."""

from __future__ import annotations

from services.chassis.errors import Refusal

ASKED_TOO_OFTEN = Refusal(
    "HB-IDN-050",
    429,
    "Đã yêu cầu nhiều lần",
    "Tên đăng nhập này đã được yêu cầu cấp lại mật khẩu {limit} lần trong một giờ.",
    "Chờ người quản lý tài khoản xử lý yêu cầu đã gửi, hoặc liên hệ trực tiếp với người quản lý tài khoản.",
    "the name was asked for too often",
)
LINK_GONE = Refusal(
    "HB-IDN-051",
    410,
    "Đường dẫn không còn hiệu lực",
    "Đường dẫn đặt lại mật khẩu đã được dùng, đã hết hạn hoặc đã được thay bằng đường dẫn mới.",
    "Đề nghị người quản lý tài khoản tạo đường dẫn mới.",
    "the one-time link is used, expired, replaced or unknown",
)
NOT_IN_CHAIN = Refusal(
    "HB-IDN-052",
    403,
    "Không thuộc phạm vi xử lý",
    "Không có tài khoản {person} trong phạm vi được cấp lại mật khẩu.",
    "Giáo viên, nhân viên do quản trị viên của nhà trường xử lý; quản trị viên do Phòng/Sở GD&ĐT xử lý;"
    " cán bộ Phòng/Sở GD&ĐT do đơn vị cấp trên xử lý.",
    "the account is not one that the actor recovers: {person}",
)
NO_RECOVERY_WAITING = Refusal(
    "HB-IDN-053",
    409,
    "Không có yêu cầu đang chờ",
    "Không có yêu cầu cấp lại mật khẩu đang chờ xử lý của tài khoản này.",
    "Tải lại danh sách để xem trạng thái mới nhất.",
    "no recovery waits for this account",
)
ALREADY_LEFT = Refusal(
    "HB-IDN-054",
    409,
    "Đã nghỉ hoặc chuyển đi",
    "Nhân sự {person} đã được ghi nhận nghỉ hoặc chuyển đi.",
    "Nếu nhân sự công tác trở lại, ghi nhận trở lại trước rồi thực hiện tiếp.",
    "the person has left: {person}",
)
