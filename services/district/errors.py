"""What district refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

ALREADY_DECIDED = Refusal(
    "HB-DIS-001",
    409,
    "Yêu cầu đã được xử lý",
    "Yêu cầu này đã được duyệt hoặc từ chối trước đó.",
    "Tải lại danh sách để xem trạng thái mới nhất.",
    "the request was decided before",
)
REASON_NEEDED = Refusal(
    "HB-DIS-002",
    422,
    "Thiếu lý do từ chối",
    "Từ chối phải kèm lý do để nhà trường biết và đăng ký lại.",
    "Nhập lý do từ chối rồi thực hiện lại.",
    "a refusal needs a reason",
)
NOTHING_SELECTED = Refusal(
    "HB-DIS-003",
    422,
    "Chưa chọn yêu cầu",
    "Không có yêu cầu nào trong phần đã chọn.",
    "Tích chọn yêu cầu rồi thực hiện lại.",
    "the selection is empty",
)
OWN_REQUEST = Refusal(
    "HB-DIS-004",
    403,
    "Không tự duyệt cho chính mình",
    "Không ai được tự duyệt hoặc từ chối yêu cầu của chính mình.",
    "Đề nghị một cán bộ khác của Phòng/Sở GD&ĐT thực hiện.",
    "nobody decides about the own request",
)
TOO_MANY = Refusal(
    "HB-DIS-005",
    422,
    "Chọn quá nhiều yêu cầu",
    "Mỗi lần chỉ xử lý được tối đa {most} yêu cầu.",
    "Lọc theo trường hoặc loại rồi thực hiện nhiều lần.",
    "at most {most} requests at once",
)
NOTHING_ASKED = Refusal(
    "HB-DIS-040",
    422,
    "Chưa nhập điều kiện tra cứu",
    "Cần ít nhất một trong: họ và tên, số định danh cá nhân, mã tra cứu (UUID) hoặc trường.",
    "Nhập một điều kiện rồi tra cứu lại.",
    "a look-up needs a name, a personal id, a UUID or a school",
)
WRONG_PERSONAL_ID = Refusal(
    "HB-DIS-041",
    422,
    "Số định danh không hợp lệ",
    "Số định danh cá nhân gồm đúng 12 chữ số.",
    "Kiểm tra lại số định danh.",
    "a personal id has 12 digits",
)
WRONG_UUID = Refusal(
    "HB-DIS-042",
    422,
    "Mã tra cứu không hợp lệ",
    "Mã tra cứu học bạ số (UUID) gồm 32 ký tự chia thành năm nhóm bằng dấu gạch nối.",
    "Chép lại mã từ học bạ hoặc từ nhà trường.",
    "a UUID has 32 hexadecimal digits in five groups",
)
NO_LOCK_DATE = Refusal(
    "HB-DIS-060",
    422,
    "Chưa có ngày khóa",
    "Chưa chọn khối học hoặc chưa nhập ngày khóa.",
    "Chọn khối học và nhập ngày khóa, rồi xem trước và ghi.",
    "no lock date is given",
)
LOCK_DATE_TOO_FAR = Refusal(
    "HB-DIS-061",
    422,
    "Ngày khóa không hợp lệ",
    "Ngày khóa phải nằm trong các năm từ {first} đến {last}.",
    "Kiểm tra lại ngày, tháng và năm đã nhập.",
    "the lock date must be in the years {first} to {last}",
)
NO_SCHOOL_CHOSEN = Refusal(
    "HB-DIS-062",
    422,
    "Chưa chọn trường",
    "Chưa có trường nào được chọn để cấu hình ngày khóa.",
    "Tích chọn trường trong danh sách, hoặc chọn ngày chung cho tất cả trường.",
    "no school is chosen",
)
SCHOOL_NOT_IN_BRANCH = Refusal(
    "HB-DIS-063",
    404,
    "Trường không thuộc đơn vị quản lý",
    "Có trường đã chọn không thuộc phạm vi quản lý của đơn vị.",
    "Tải lại danh sách trường rồi chọn lại.",
    "a school is not in the branch",
)
