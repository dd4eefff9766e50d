"""What is refused about signing in with an account of a unit's own."""

from __future__ import annotations

from services.chassis.errors import Refusal

UNKNOWN_SIGN_IN_PROVIDER = Refusal(
    "HB-IDN-120",
    404,
    "Không có cách đăng nhập này",
    "Hệ thống không có cách đăng nhập được yêu cầu.",
    "Quay lại trang đăng nhập và chọn cách đăng nhập khác.",
    "no such sign-in provider",
)
SIGN_IN_PROVIDER_UNAVAILABLE = Refusal(
    "HB-IDN-121",
    503,
    "Hệ thống xác thực chưa phản hồi",
    "Hệ thống xác thực của đơn vị tạm thời không phản hồi đúng.",
    "Chờ ít phút rồi thử lại, hoặc đăng nhập bằng tên đăng nhập và mật khẩu.",
    "the sign-in provider does not answer as it should",
)
SIGN_IN_PROVIDER_REFUSED = Refusal(
    "HB-IDN-122",
    422,
    "Không xác thực được",
    "Kết quả xác thực của đơn vị không hợp lệ nên chưa đăng nhập được.",
    "Đăng nhập lại từ đầu; nếu vẫn gặp lỗi, đăng nhập bằng tên đăng nhập và mật khẩu và báo cho quản trị viên.",
    "the sign-in provider did not vouch for anybody: {problem}",
)
SIGN_IN_NOT_BEGUN = Refusal(
    "HB-IDN-123",
    422,
    "Lần đăng nhập đã hết hiệu lực",
    "Lần đăng nhập này không được bắt đầu từ trình duyệt này, đã dùng rồi hoặc đã quá 10 phút.",
    "Quay lại trang đăng nhập và bắt đầu lại.",
    "no such sign-in was begun in this browser",
)
SIGN_IN_NOBODY = Refusal(
    "HB-IDN-124",
    403,
    "Chưa có tài khoản phù hợp",
    "Không có nhân sự nào thuộc phạm vi của đơn vị này khớp với kết quả xác thực.",
    "Đề nghị quản trị viên kiểm tra số định danh cá nhân trong hồ sơ nhân sự, hoặc đăng nhập bằng tên đăng nhập và mật khẩu.",
    "nobody of the provider's branch has this personal id",
)
SIGN_IN_LINK_WAITS = Refusal(
    "HB-IDN-125",
    403,
    "Chờ duyệt cách đăng nhập",
    "Đây là lần đầu dùng cách đăng nhập này nên cần được duyệt trước.",
    "Chờ quản trị viên của nhà trường hoặc Phòng/Sở GD&ĐT duyệt; trong lúc chờ, đăng nhập bằng tên đăng nhập và mật khẩu.",
    "the link to the provider's account waits for approval",
)
SIGN_IN_LINK_REFUSED = Refusal(
    "HB-IDN-126",
    403,
    "Cách đăng nhập đã bị từ chối",
    "Người quản lý tài khoản đã từ chối cách đăng nhập này: {reason}.",
    "Đăng nhập bằng tên đăng nhập và mật khẩu, hoặc liên hệ quản trị viên của nhà trường hoặc Phòng/Sở GD&ĐT.",
    "the link to the provider's account was refused",
)
UNKNOWN_SIGN_IN_LINK = Refusal(
    "HB-IDN-127",
    404,
    "Không tìm thấy liên kết đăng nhập",
    "Liên kết đăng nhập này không tồn tại hoặc đã được xử lý.",
    "Tải lại danh sách để xem trạng thái mới nhất.",
    "no such sign-in link",
)
