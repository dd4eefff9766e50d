"""What export and printing refuse."""

from __future__ import annotations

from services.chassis.errors import Refusal

NOT_EXPORTABLE = Refusal(
    "HB-REC-060",
    409,
    "Chưa thể xuất dữ liệu",
    "Không có học bạ nào trong phần đã chọn ở trạng thái «Chờ ký», «Hoàn thành ký» hoặc sau đó.",
    "Chọn học bạ đã tạo và chưa bị trả lại hoặc hủy rồi xuất dữ liệu.",
    "nothing in the selection can be exported",
)
NOTHING_TO_PRINT = Refusal(
    "HB-REC-061",
    409,
    "Chưa có học bạ để in",
    "Lớp chưa có học bạ nào có bản PDF.",
    "Bản PDF có sau khi giáo viên bộ môn ký xong.",
    "no transcript of the class has a PDF",
)
TOO_MANY = Refusal(
    "HB-REC-062",
    422,
    "Chọn quá nhiều học bạ",
    "Phần đã chọn có {count} học bạ, nhiều hơn {most} học bạ của một lần xuất.",
    "Xuất theo khối hoặc theo lớp.",
    "{count} transcripts are more than {most}",
)
DAMAGED_PRINT = Refusal(
    "HB-REC-063",
    409,
    "Không in được học bạ cả lớp",
    "Bản PDF của học bạ {transcript} không đọc được.",
    "Báo lỗi cho quản trị hệ thống; in các học bạ khác từ trang Xem học bạ.",
    "the PDF of {transcript} cannot be read: {problem}",
)
UNKNOWN_PERSONAL_ID = Refusal(
    "HB-REC-064",
    404,
    "Không tìm thấy học bạ",
    "Trường không có học bạ nào của số định danh cá nhân đã nhập.",
    "Kiểm tra lại số định danh cá nhân gồm 12 chữ số.",
    "no transcript with this personal id",
)
