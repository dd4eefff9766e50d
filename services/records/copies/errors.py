"""What the issuing of certified copies refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

NOT_SEALED = Refusal(
    "HB-REC-080",
    409,
    "Chưa cấp được bản sao của học bạ này",
    "Học bạ đang ở trạng thái «{state}»; chỉ cấp bản sao của học bạ đã hoàn thành ký và chưa bị hủy.",
    "Chờ học bạ hoàn thành ký, hoặc chọn phiên bản học bạ đang có hiệu lực.",
    "no copies of a transcript in state {state}",
)
WRONG_COPY_STATE = Refusal(
    "HB-REC-081",
    409,
    "Trạng thái bản sao không cho phép",
    "Bản sao đang ở trạng thái «{state}» nên không thực hiện được thao tác này.",
    "Tải lại trang để xem trạng thái mới nhất.",
    "not possible for a copy in state {state}",
)
PARTS_NEEDED = Refusal(
    "HB-REC-082",
    422,
    "Chưa chọn phần trích sao",
    "Bản trích sao cần ít nhất một phần của học bạ.",
    "Tích chọn các phần cần trích sao rồi gửi lại.",
    "an extract needs at least one part",
)
NO_SIGNER = Refusal(
    "HB-REC-083",
    422,
    "Người ký bản sao không hợp lệ",
    "Người được chọn không có trong danh sách lãnh đạo nhà trường của năm học hiện tại.",
    "Chọn hiệu trưởng hoặc phó hiệu trưởng; nếu danh sách trống, nhập lại dữ liệu cán bộ của trường.",
    "the signer is not a leader of the school",
)
REASON_NEEDED = Refusal(
    "HB-REC-084",
    422,
    "Chưa nêu lý do",
    "Thao tác này cần lý do để ghi vào sổ.",
    "Nhập lý do rồi gửi lại.",
    "a reason is needed",
)
UNPRINTABLE_REQUEST = Refusal(
    "HB-REC-085",
    422,
    "Không in được nội dung yêu cầu",
    "Nội dung có ký tự không in được lên bản sao: {characters}",
    "Nhập lại bằng chữ tiếng Việt, chữ số và dấu câu thông thường.",
    "unprintable characters: {characters}",
)
COPY_NOT_MADE = Refusal(
    "HB-REC-086",
    422,
    "Không lập được tệp bản sao",
    "Học bạ gốc không đưa được vào bản sao: {problem}",
    "Thu hồi số bản sao này kèm lý do rồi báo lỗi cho bộ phận hỗ trợ.",
    "the copy cannot be made: {problem}",
)
