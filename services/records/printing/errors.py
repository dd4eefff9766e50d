"""What the print configuration refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

NOT_A_LEADER = Refusal(
    "HB-REC-050",
    422,
    "Không chọn được người này làm lãnh đạo ký",
    "Cán bộ có mã {staff} không phải là hiệu trưởng hoặc phó hiệu trưởng trong danh sách cán bộ của trường.",
    "Chọn hiệu trưởng hoặc phó hiệu trưởng của trường.",
    "{staff} is no manager of this school",
)
WRONG_PLACE = Refusal(
    "HB-REC-051",
    422,
    "Địa danh in học bạ không hợp lệ",
    "Địa danh phải có chữ và không quá {most} ký tự.",
    "Nhập tên xã, phường hoặc tỉnh, thành phố, ví dụ “Hải Phòng”.",
    "a place has letters and at most {most} characters",
)
WRONG_DATE = Refusal(
    "HB-REC-052",
    422,
    "Ngày ghi học bạ không hợp lệ",
    "Ngày ghi học bạ phải là một ngày có thật từ {first} đến {last}.",
    "Chọn lại ngày trong năm học.",
    "the date does not belong to the school year",
)
NOTHING_TO_CONFIGURE = Refusal(
    "HB-REC-053",
    422,
    "Chưa có nội dung để lưu",
    "Chưa nhập địa danh, ngày ghi học bạ hoặc lãnh đạo ký.",
    "Nhập ít nhất một nội dung rồi lưu lại.",
    "none of place, date and leader was given",
)
NO_CLASS_CHOSEN = Refusal(
    "HB-REC-054",
    422,
    "Chưa chọn lớp",
    "Không có lớp nào trong phần đã chọn.",
    "Tích chọn lớp rồi thực hiện lại.",
    "no class is chosen",
)
