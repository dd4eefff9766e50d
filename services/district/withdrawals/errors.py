"""What menu 6.5 refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

NOT_PENDING = Refusal(
    "HB-DIS-020",
    409,
    "Yêu cầu không còn chờ xử lý",
    "Yêu cầu thu hồi này đang ở trạng thái «{state}» nên không duyệt hoặc từ chối được nữa.",
    "Tải lại danh sách để xem trạng thái mới nhất.",
    "the request is {state}",
)
REASON_NEEDED = Refusal(
    "HB-DIS-021",
    422,
    "Thiếu lý do từ chối",
    "Lý do từ chối thu hồi phải có từ {least} đến {most} ký tự để nhà trường biết.",
    "Ghi rõ lý do rồi thực hiện lại.",
    "a refusal needs a reason of {least} to {most} characters",
)
OWN_REQUEST = Refusal(
    "HB-DIS-022",
    403,
    "Không tự duyệt yêu cầu của mình",
    "Người lập hoặc ký yêu cầu thu hồi không được duyệt hay từ chối chính yêu cầu đó.",
    "Đề nghị một cán bộ khác của Phòng/Sở GD&ĐT thực hiện.",
    "nobody decides about the own request",
)
NOTHING_SELECTED = Refusal(
    "HB-DIS-023",
    422,
    "Chưa chọn yêu cầu thu hồi",
    "Không có yêu cầu thu hồi nào đang chờ xử lý trong phần đã chọn.",
    "Tích chọn yêu cầu rồi thực hiện lại.",
    "the selection is empty",
)
TOO_MANY = Refusal(
    "HB-DIS-024",
    422,
    "Chọn quá nhiều yêu cầu thu hồi",
    "Mỗi lần chỉ xử lý được tối đa {most} yêu cầu.",
    "Lọc theo trường hoặc khối rồi thực hiện nhiều lần.",
    "at most {most} requests at once",
)
