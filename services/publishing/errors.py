"""What publishing refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

NOT_CONFIRMED = Refusal(
    "HB-PUB-001",
    409,
    "Học bạ chưa được xác nhận hoàn thành",
    "Chỉ gửi được học bạ đã xác nhận hoàn thành.",
    "Thực hiện mục 2.7 Xác nhận hoàn thành học bạ trước khi gửi.",
    "the transcript is not confirmed",
)
ALREADY_SENT = Refusal(
    "HB-PUB-002",
    409,
    "Học bạ đã được gửi",
    "Học bạ này đang được gửi hoặc đã được tiếp nhận.",
    "Xem cột Trạng thái gửi; chỉ gửi lại học bạ bị từ chối.",
    "the transcript is on its way or accepted",
)
NOTHING_TO_SEND = Refusal(
    "HB-PUB-003",
    422,
    "Không có học bạ nào để gửi",
    "Phần đã chọn không có học bạ nào gửi được.",
    "Chọn học bạ đã xác nhận hoàn thành rồi gửi lại.",
    "nothing of the selection can be sent",
)
BAD_CALLBACK = Refusal(
    "HB-PUB-004",
    401,
    "Phản hồi không hợp lệ",
    "Phản hồi không có chữ ký hợp lệ của Cổng tiếp nhận.",
    "Kiểm tra khóa bí mật dùng chung với Cổng tiếp nhận.",
    "the callback's signature or time is wrong",
)
DAMAGED = Refusal(
    "HB-PUB-006",
    500,
    "Tệp học bạ bị sai lệch",
    "Tệp học bạ trong kho lưu trữ không còn đúng với bản đã ký; hệ thống không gửi tệp này.",
    "Báo ngay cho bộ phận hỗ trợ kèm mã học bạ; gửi lại sau khi tệp được khôi phục.",
    "the stored document is missing or damaged",
)
RECORDS_SAID_NO = Refusal(
    "HB-PUB-005",
    409,
    "Học bạ không ở trạng thái gửi được",
    "Học bạ đã chuyển sang trạng thái khác nên chưa được gửi.",
    "Tải lại trang để xem trạng thái mới nhất.",
    "records denied the submission in state {state}",
)
INTAKE_CLOSED = Refusal(
    "HB-PUB-060",
    409,
    "Đã khóa tiếp nhận học bạ",
    "{unit} đã khóa tiếp nhận học bạ sau ngày {on}.",
    "Liên hệ {unit} để được gia hạn ngày khóa tiếp nhận rồi gửi lại.",
    "the intake was closed after {on}",
)
WITHDRAWAL_CLOSED = Refusal(
    "HB-PUB-061",
    409,
    "Đã khóa thu hồi học bạ",
    "{unit} đã khóa thu hồi học bạ sau ngày {on}.",
    "Liên hệ {unit} để được gia hạn ngày khóa thu hồi rồi gửi lại yêu cầu.",
    "withdrawals were closed after {on}",
)
CALLBACK_TOO_LARGE = Refusal(
    "HB-PUB-062",
    413,
    "Phản hồi quá lớn",
    "Phản hồi của Cổng tiếp nhận vượt quá dung lượng cho phép.",
    "Gửi kết quả của từng gói trong một phản hồi, tối đa 1 MB.",
    "the callback is larger than 1 MB",
)
CALLBACK_REUSED = Refusal(
    "HB-PUB-063",
    409,
    "Mã sự kiện đã được dùng",
    "Mã sự kiện của phản hồi này đã được dùng cho một phản hồi có nội dung khác.",
    "Kiểm tra Cổng tiếp nhận; mỗi phản hồi có một mã sự kiện riêng.",
    "the event id was used for another callback",
)
GATEWAY_SILENT = Refusal(
    "HB-PUB-064",
    503,
    "Cổng tiếp nhận không trả lời",
    "Cổng tiếp nhận đang gián đoạn nên chưa tra cứu được.",
    "Thử lại sau ít phút; việc gửi học bạ vẫn tiếp tục khi Cổng hoạt động lại.",
    "the national gateway does not answer",
)
