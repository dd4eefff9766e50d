"""What menu 2.10 refuses: taking accepted documents back."""

from __future__ import annotations

from services.chassis.errors import Refusal

NOT_ACCEPTED = Refusal(
    "HB-PUB-020",
    409,
    "Học bạ chưa được tiếp nhận",
    "Chỉ thu hồi được học bạ đã gửi và đã được Cổng tiếp nhận.",
    "Kiểm tra cột Trạng thái gửi ở mục Gửi học bạ; học bạ chưa gửi thì hủy ở mục 2.6.",
    "the document is not held by the gateway",
)
ASKED_ALREADY = Refusal(
    "HB-PUB-021",
    409,
    "Đã có yêu cầu thu hồi",
    "Học bạ này đã có một yêu cầu thu hồi chưa kết thúc.",
    "Xem yêu cầu đó trong danh sách; xóa bản nháp hoặc rút yêu cầu trước khi tạo yêu cầu mới.",
    "there is an open request for the document",
)
REASON_NEEDED = Refusal(
    "HB-PUB-022",
    422,
    "Chưa ghi lý do thu hồi",
    "Lý do thu hồi phải có từ {least} đến {most} ký tự.",
    "Ghi rõ nội dung sai trên học bạ rồi thực hiện lại.",
    "a reason of {least} to {most} characters is needed",
)
NO_DRAFT = Refusal(
    "HB-PUB-023",
    409,
    "Yêu cầu không còn là bản nháp",
    "Yêu cầu này đang ở trạng thái «{state}» nên không sửa, xóa hoặc gửi lại được.",
    "Tải lại danh sách để xem trạng thái mới nhất.",
    "the request is {state}, not a draft",
)
TOO_LATE = Refusal(
    "HB-PUB-024",
    409,
    "Không rút được yêu cầu",
    "Yêu cầu đang ở trạng thái «{state}» nên không rút lại được.",
    "Chỉ rút được yêu cầu đang Chờ ký hoặc Chờ xử lý; tải lại danh sách để xem trạng thái mới nhất.",
    "a request that is {state} cannot be taken back",
)
NOTHING_CHOSEN = Refusal(
    "HB-PUB-025",
    422,
    "Chưa chọn học bạ hoặc yêu cầu",
    "Phần đã chọn không có học bạ hoặc yêu cầu nào.",
    "Tích chọn rồi thực hiện lại.",
    "the selection is empty",
)
TAMPERED = Refusal(
    "HB-PUB-026",
    500,
    "Yêu cầu đã ký bị sai lệch",
    "Tệp yêu cầu đã ký không đúng với yêu cầu của nhà trường ({problem}); hệ thống không gửi tệp này.",
    "Báo bộ phận hỗ trợ; sau đó gửi lại yêu cầu để ký lại.",
    "the signed request does not stand: {problem}",
)
RECORDS_SAID_NO = Refusal(
    "HB-PUB-027",
    409,
    "Học bạ không thu hồi được lúc này",
    "Học bạ đang ở trạng thái khác ({state}) nên yêu cầu chưa được gửi.",
    "Tải lại trang để xem trạng thái mới nhất, rồi gửi lại yêu cầu nếu học bạ vẫn ở trạng thái Đã tiếp nhận.",
    "records denied the withdrawal in state {state}",
)
TOO_MANY = Refusal(
    "HB-PUB-028",
    422,
    "Chọn quá nhiều",
    "Mỗi lần chỉ xử lý được tối đa {most} mục.",
    "Lọc theo khối hoặc lớp rồi thực hiện nhiều lần.",
    "at most {most} at once",
)
FILE_LOST = Refusal(
    "HB-PUB-029",
    500,
    "Tệp yêu cầu thu hồi bị mất hoặc sai lệch",
    "Tệp yêu cầu đã ký trong kho lưu trữ bị mất hoặc đã thay đổi nên chưa thu hồi được; học bạ vẫn ở trạng thái Đã tiếp nhận.",
    "Báo bộ phận hỗ trợ kèm mã yêu cầu; sau đó tạo yêu cầu thu hồi mới.",
    "the stored signed request is missing or damaged",
)
