"""What the finalisation of a class refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

NOT_FINALISABLE = Refusal(
    "HB-REC-040",
    422,
    "Chưa thể xác nhận hoàn thành tổng kết",
    "Lớp {name} còn {count} học sinh có kết quả thiếu hoặc không đúng quy định.",
    "Xem danh sách của lớp, sửa kết quả trong dữ liệu nguồn, nhập lại rồi xác nhận.",
    "{count} pupils have results that are missing or contradict the circular",
)
ALREADY_FINALISED = Refusal(
    "HB-REC-041",
    409,
    "Lớp đã hoàn thành tổng kết",
    "Lớp {name} đã được xác nhận hoàn thành tổng kết.",
    "Tải lại trang để xem trạng thái mới nhất.",
    "the class is finalised already",
)
FINALISED_ELSEWHERE = Refusal(
    "HB-REC-042",
    409,
    "Lớp được xác nhận hoàn thành tổng kết ở CSDL ngành",
    "Lớp {name} được xác nhận hoàn thành tổng kết trong phần mềm CSDL ngành nên không hủy được tại đây.",
    "Lập phiếu đề nghị sửa dữ liệu cho từng học sinh.",
    "finalised in the sector database",
)
NOT_FINALISED = Refusal(
    "HB-REC-043",
    409,
    "Lớp chưa hoàn thành tổng kết",
    "Lớp {name} chưa được xác nhận hoàn thành tổng kết.",
    "Tải lại trang để xem trạng thái mới nhất.",
    "the class is not finalised",
)
TRANSCRIPTS_STAND = Refusal(
    "HB-REC-044",
    409,
    "Lớp đã có học bạ",
    "Lớp {name} đã có {count} học bạ được tạo từ dữ liệu tổng kết này.",
    "Hủy các học bạ của lớp trước khi hủy xác nhận, hoặc lập phiếu đề nghị sửa dữ liệu cho từng học sinh.",
    "{count} live transcripts stand",
)
NO_PUPILS = Refusal(
    "HB-REC-045",
    422,
    "Lớp không có học sinh",
    "Lớp {name} không có học sinh nào đang học.",
    "Nhập dữ liệu học sinh của lớp rồi xác nhận.",
    "the class has no pupils",
)
