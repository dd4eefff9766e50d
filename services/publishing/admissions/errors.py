"""What sending to the admissions portal refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

NOT_FINAL = Refusal(
    "HB-PUB-110",
    409,
    "Không phải học bạ lớp cuối cấp",
    "Cổng Tuyển sinh chỉ nhận học bạ của lớp 5, lớp 9 và lớp 12.",
    "Chọn học bạ của lớp cuối cấp.",
    "the transcript is of no final grade",
)
NOT_ACCEPTED = Refusal(
    "HB-PUB-111",
    409,
    "Học bạ chưa được Cổng tiếp nhận chấp nhận",
    "Chỉ gửi lên Cổng Tuyển sinh học bạ đã được Cổng tiếp nhận chấp nhận.",
    "Gửi học bạ lên Cổng tiếp nhận ở mục Gửi học bạ và chờ kết quả «Đã tiếp nhận».",
    "the national gateway does not hold the transcript",
)
ALREADY_PUSHED = Refusal(
    "HB-PUB-112",
    409,
    "Học bạ đã được gửi tuyển sinh",
    "Học bạ này đang chờ biên nhận hoặc đã có biên nhận của Cổng Tuyển sinh.",
    "Xem cột Trạng thái; chỉ gửi lại học bạ bị từ chối.",
    "the transcript is on its way to the portal or was receipted",
)
BEING_WITHDRAWN = Refusal(
    "HB-PUB-113",
    409,
    "Học bạ đang có yêu cầu thu hồi",
    "Học bạ đang được đề nghị thu hồi nên chưa gửi lên Cổng Tuyển sinh.",
    "Chờ kết quả thu hồi, hoặc rút yêu cầu thu hồi rồi gửi.",
    "a request to withdraw the transcript is open",
)
ADMISSIONS_CLOSED = Refusal(
    "HB-PUB-114",
    409,
    "Đã khóa gửi tuyển sinh",
    "{unit} đã khóa gửi học bạ lên Cổng Tuyển sinh sau ngày {on}.",
    "Liên hệ {unit} để được gia hạn ngày khóa gửi tuyển sinh rồi gửi lại.",
    "sending to the admissions portal was closed after {on}",
)
NOTHING_TO_PUSH = Refusal(
    "HB-PUB-115",
    422,
    "Không có học bạ nào để gửi tuyển sinh",
    "Phần đã chọn không có học bạ nào gửi lên Cổng Tuyển sinh được.",
    "Chọn học bạ lớp cuối cấp đã được Cổng tiếp nhận chấp nhận rồi gửi lại.",
    "nothing of the selection can be sent to the portal",
)
DAMAGED = Refusal(
    "HB-PUB-116",
    500,
    "Tệp học bạ bị sai lệch",
    "Tệp học bạ trong kho lưu trữ không còn đúng với bản đã ký; hệ thống không gửi tệp này lên Cổng Tuyển sinh.",
    "Báo ngay cho bộ phận hỗ trợ kèm mã học bạ; gửi lại sau khi tệp được khôi phục.",
    "the stored document is missing or damaged",
)
BAD_RECEIPT = Refusal(
    "HB-PUB-117",
    502,
    "Biên nhận không hợp lệ",
    "Biên nhận của Cổng Tuyển sinh không được công nhận ({problem}); hệ thống tiếp tục hỏi lại.",
    "Chờ hệ thống hỏi lại; nếu kéo dài, báo bộ phận hỗ trợ kèm mã lần gửi.",
    "the portal's receipt does not stand: {problem}",
)
NO_RECEIPT = Refusal(
    "HB-PUB-118",
    404,
    "Chưa có biên nhận",
    "Cổng Tuyển sinh chưa gửi biên nhận cho học bạ này.",
    "Tải lại trang sau ít phút để xem trạng thái mới nhất.",
    "the portal has given no receipt",
)
