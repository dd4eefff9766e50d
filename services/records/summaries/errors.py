"""What class summaries refuse beside what all documents do."""

from __future__ import annotations

from services.chassis.errors import Refusal

PRIMARY_ONLY = Refusal(
    "HB-REC-190",
    404,
    "Chức năng dành cho trường tiểu học",
    "Bảng tổng hợp kết quả đánh giá giáo dục chỉ có ở cấp tiểu học.",
    "Với cấp trung học, sử dụng các mục Học bạ số.",
    "class summaries exist in primary schools only",
)
SUMMARY_EXISTS = Refusal(
    "HB-REC-191",
    409,
    "Lớp đã có bảng tổng hợp",
    "Bảng tổng hợp kết quả đánh giá giáo dục của lớp đã được tạo.",
    "Nếu bảng tổng hợp sai, thực hiện trả lại và hủy tại mục 3.7 trước khi tạo lại.",
    "a class summary exists already",
)
NOT_READY = Refusal(
    "HB-REC-192",
    422,
    "Chưa đủ điều kiện tạo bảng tổng hợp",
    "{reason}",
    "Bổ sung thông tin còn thiếu rồi tạo bảng tổng hợp.",
    "incomplete: {reason}",
)
SUMMARY_STANDS = Refusal(
    "HB-REC-193",
    409,
    "Cần hủy bảng tổng hợp của lớp trước",
    "Lớp {name} có bảng tổng hợp kết quả đánh giá giáo dục được tạo từ dữ liệu này.",
    "Trả lại rồi hủy bảng tổng hợp tại mục 3.7, sau đó thực hiện lại; sửa xong thì tạo lại bảng tổng hợp (phiên bản mới).",
    "a live class summary stands",
)
SUMMARY_NOT_RENDERED = Refusal(
    "HB-REC-194",
    409,
    "Không lập được tệp PDF",
    "Hệ thống không lập được tệp PDF của bảng tổng hợp này.",
    "Báo bộ phận hỗ trợ; hoặc trả lại bảng tổng hợp tại mục 3.7 để hủy và tạo lại.",
    "the PDF could not be made",
)
NO_CLASS_CHOSEN = Refusal(
    "HB-REC-195",
    422,
    "Chưa chọn lớp",
    "Phần đã chọn không có lớp nào tạo được bảng tổng hợp.",
    "Tích chọn lớp rồi thực hiện lại.",
    "the selection is empty",
)
