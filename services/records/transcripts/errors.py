"""What creating transcripts refuses beside `services.records.errors`."""

from __future__ import annotations

from services.chassis.errors import Refusal

GONE = Refusal(
    "HB-REC-046",
    404,
    "Học sinh không còn trong dữ liệu của trường",
    "Học sinh hoặc lớp của học sinh không còn trong lần nhập dữ liệu gần nhất.",
    "Kiểm tra dữ liệu đã nhập rồi chọn lại học sinh.",
    "the pupil or the class is no longer there",
)
SIGNER_LEFT = Refusal(
    "HB-REC-211",
    409,
    "Người ký không còn công tác tại trường",
    "Người phải ký học bạ của năm học trước không còn trong danh sách cán bộ của năm học mới nhất: {names}.",
    "Lập kế hoạch số hóa học bạ của năm học đó: nhân viên học vụ rà soát, Hiệu trưởng ký thay phần của người không còn công tác.",
    "signers of an earlier year have left: {names}",
)
JOB_ENDED = Refusal(
    "HB-REC-047",
    409,
    "Lượt tạo học bạ đã kết thúc",
    "Lượt tạo học bạ này không còn chạy nên không dừng được.",
    "Tải lại trang để xem kết quả.",
    "the job is {state}",
)
JOB_RUNNING = Refusal(
    "HB-REC-048",
    409,
    "Lượt tạo học bạ đang chạy",
    "Lượt tạo học bạ này chưa kết thúc.",
    "Chờ lượt này kết thúc, hoặc dừng lại, rồi tạo lại cho học sinh chưa được.",
    "the job is still running",
)
NOTHING_TO_RETRY = Refusal(
    "HB-REC-049",
    409,
    "Không còn học sinh nào để tạo lại",
    "Mọi học sinh của lượt này đã có học bạ.",
    "Tải lại trang để xem trạng thái mới nhất.",
    "everybody of the job has a transcript",
)
ALL_LEFT_OUT = Refusal(
    "HB-REC-055",
    409,
    "Không có học sinh nào để tạo học bạ",
    "{count} học sinh đã chọn đều phải đánh giá lại, rèn luyện trong hè và được để lại theo lựa chọn.",
    "Bỏ lựa chọn, hoặc tạo học bạ sau khi nhập kết quả đánh giá lại.",
    "all {count} pupils are left out until they are re-assessed",
)
