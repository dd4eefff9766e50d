"""What sharing refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

LINK_GONE = Refusal(
    "HB-PUB-090",
    404,
    "Đường dẫn chia sẻ không dùng được",
    "Đường dẫn không đúng, đã hết hạn hoặc đã được nhà trường thu hồi.",
    "Kiểm tra lại mã chia sẻ; nếu vẫn cần xem học bạ, hãy đề nghị nhà trường cấp đường dẫn mới.",
    "no link that is in force has this secret",
)
NOT_SHAREABLE = Refusal(
    "HB-PUB-091",
    409,
    "Học bạ không chia sẻ được",
    "Chỉ chia sẻ được học bạ của một học sinh đã xác nhận hoàn thành và đang có hiệu lực.",
    "Kiểm tra tình trạng học bạ; chọn phiên bản đang có hiệu lực rồi thực hiện lại.",
    "a chosen transcript is not of this pupil, not confirmed or not in force",
)
REASON_NEEDED = Refusal(
    "HB-PUB-092",
    422,
    "Chưa nêu lý do thu hồi",
    "Việc thu hồi đường dẫn chia sẻ phải có lý do, từ {least} đến {most} ký tự.",
    "Ghi lý do rồi thực hiện lại.",
    "a reason of {least} to {most} characters is needed",
)
ENDED_ALREADY = Refusal(
    "HB-PUB-093",
    409,
    "Đường dẫn không còn hiệu lực",
    "Đường dẫn chia sẻ này đã hết hạn hoặc đã được thu hồi trước đó.",
    "Tải lại danh sách để xem trạng thái mới nhất.",
    "the link is revoked or has run out",
)
MADE_ALREADY = Refusal(
    "HB-PUB-094",
    409,
    "Đường dẫn đã được tạo",
    "Yêu cầu này đã được ghi và đường dẫn chỉ hiện một lần.",
    "Nếu không còn giữ đường dẫn, hãy thu hồi nó trong danh sách rồi tạo đường dẫn mới.",
    "the link of this form was made already",
)
NOT_IN_FORCE = Refusal(
    "HB-PUB-095",
    409,
    "Học bạ không còn hiệu lực",
    "Phiên bản học bạ này đã được thay thế, thu hồi hoặc hủy nên không tải được nữa.",
    "Đề nghị nhà trường chia sẻ phiên bản đang có hiệu lực.",
    "the shared version is in force no more",
)
FILE_DAMAGED = Refusal(
    "HB-PUB-096",
    500,
    "Tệp học bạ bị sai lệch",
    "Tệp học bạ trong kho lưu trữ không còn đúng với bản đã ký; hệ thống không giao tệp này.",
    "Báo nhà trường kèm mã định danh học bạ; thử lại sau khi tệp được khôi phục.",
    "the stored document is missing or damaged",
)
