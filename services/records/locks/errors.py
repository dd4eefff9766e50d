"""What locks and corrections' windows refuse."""

from __future__ import annotations

from services.chassis.errors import Refusal

YEAR_LOCKED = Refusal(
    "HB-REC-110",
    409,
    "Học bạ của năm học đã khóa",
    "Hiệu trưởng đã khóa học bạ của năm học này; không tạo, ký, sửa hoặc hủy học bạ được nữa.",
    "Tra cứu, in và xuất lưu trữ vẫn thực hiện được. Nếu thật sự cần thay đổi, đề nghị Hiệu trưởng mở khóa học bạ.",
    "the school year has its final lock",
)
DATA_LOCKED = Refusal(
    "HB-REC-111",
    409,
    "Dữ liệu đã khóa",
    "Lớp đã hoàn thành tổng kết nên kết quả của học sinh đã khóa dữ liệu.",
    "Nếu kết quả sai, giáo viên lập phiếu đề nghị sửa kèm minh chứng tại mục “Phiếu đề nghị sửa dữ liệu”.",
    "the results are locked since the class was finalised",
)
TRANSCRIPT_STANDS = Refusal(
    "HB-REC-112",
    409,
    "Học sinh đã có học bạ",
    "Học bạ của năm học đã được tạo từ dữ liệu này.",
    "Trả lại và hủy học bạ (mục 2.6. Hủy học bạ), sửa dữ liệu rồi tạo lại học bạ.",
    "a live transcript stands",
)
BEING_CORRECTED = Refusal(
    "HB-REC-113",
    409,
    "Dữ liệu đang được sửa",
    "Học sinh có phiếu đề nghị sửa dữ liệu đã được Hiệu trưởng phê duyệt mà chưa hoàn tất.",
    "Hoàn tất phiếu đề nghị sửa dữ liệu rồi thực hiện lại.",
    "an approved correction is under way",
)
ALREADY_LOCKED = Refusal(
    "HB-REC-114",
    409,
    "Học bạ đang ở trạng thái này",
    "Học bạ của năm học {state} từ trước.",
    "Tải lại trang để xem trạng thái mới nhất.",
    "the final lock is {state} already",
)
REASON_NEEDED = Refusal(
    "HB-REC-115",
    422,
    "Chưa ghi lý do",
    "Thao tác này cần ghi lý do, tối đa {most} ký tự.",
    "Ghi lý do rồi thực hiện lại.",
    "a reason of at most {most} characters is needed",
)
WRONG_DATE = Refusal(
    "HB-REC-116",
    422,
    "Ngày dự kiến khóa không hợp lệ",
    "{reason}",
    "Chọn ngày khóa học bạ dự kiến từ hôm nay trở đi, theo dạng ngày/tháng/năm.",
    "not a date from today on",
)
WRONG_INSPECTOR = Refusal(
    "HB-REC-117",
    422,
    "Không cử được người này",
    "{reason}",
    "Chọn một cán bộ, giáo viên của trường là thành viên Ban thanh tra nhân dân.",
    "not fit to witness for the people's inspection board",
)
CORRECTIONS_OPEN = Refusal(
    "HB-REC-118",
    409,
    "Còn phiếu đề nghị sửa chưa xong",
    "Còn {count} phiếu đề nghị sửa dữ liệu đã mở khóa mà chưa sửa xong.",
    "Hoàn tất hoặc khóa lại các phiếu này rồi khóa học bạ.",
    "{count} unlocked corrections are unfinished",
)
