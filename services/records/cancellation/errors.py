"""What cancelling refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

WITHDRAW_FIRST = Refusal(
    "HB-REC-020",
    409,
    "Học bạ đã gửi lên cấp trên",
    "Học bạ đang ở trạng thái «{state}» nên chưa hủy được.",
    "Học bạ đã gửi cần được thu hồi (mục Thu hồi học bạ số) trước khi hủy.",
    "submitted transcripts must be withdrawn first; the state is {state}",
)
RETURN_FIRST = Refusal(
    "HB-REC-021",
    409,
    "Học bạ đang chờ ký",
    "Học bạ đang chờ ký và chưa có ai trả lại nên chưa hủy được.",
    "Người đang được chờ ký trả lại (đề xuất hủy) học bạ kèm lý do; sau đó quản trị viên duyệt hủy tại mục này.",
    "a transcript that waits for a signature must be returned first",
)
REASON_NEEDED = Refusal(
    "HB-REC-022",
    422,
    "Chưa ghi lý do",
    "Lý do phải có từ {least} đến {most} ký tự.",
    "Ghi rõ lý do rồi thực hiện lại.",
    "a reason of {least} to {most} characters is needed",
)
NOT_STOPPED = Refusal(
    "HB-REC-023",
    409,
    "Học bạ vẫn ký tiếp được",
    "Chỉ trả lại tại đây được học bạ mà hệ thống không ký tiếp được.",
    "Người đang được chờ ký trả lại học bạ này tại mục ký duyệt của mình.",
    "signing of the transcript does not stand still",
)
CANCELLED_BEFORE = Refusal(
    "HB-REC-024",
    409,
    "Học bạ đã hủy",
    "Học bạ này đã bị hủy từ trước và không khôi phục lại được.",
    "Tạo lại học bạ tại mục 2.1 nếu học sinh chưa có phiên bản mới.",
    "the transcript is cancelled already",
)
NOTHING_TO_DECIDE = Refusal(
    "HB-REC-025",
    422,
    "Chưa chọn học bạ",
    "Phần đã chọn không có học bạ nào.",
    "Tích chọn học bạ rồi thực hiện lại.",
    "the selection is empty",
)
NOT_RENDERED = Refusal(
    "HB-REC-026",
    409,
    "Không lập được tệp PDF",
    "Học bạ đã đủ chữ ký của giáo viên bộ môn nhưng hệ thống không lập được tệp PDF.",
    "Báo bộ phận hỗ trợ; hoặc trả lại học bạ tại mục 2.6 để hủy và tạo lại.",
    "the PDF could not be made",
)
