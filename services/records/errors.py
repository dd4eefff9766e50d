"""What records refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

WORKBOOK = Refusal(
    "HB-REC-001",
    422,
    "Không đọc được tệp",
    "{reason}",
    "Xuất lại tệp từ cơ sở dữ liệu ngành rồi tải lên.",
    "the upload cannot be read: {code}",
)
IMPORT_BLOCKED = Refusal(
    "HB-REC-002",
    422,
    "Chưa thể nhập dữ liệu",
    "Tệp còn {count} lỗi làm cho dữ liệu của trường không đọc được.",
    "Xem danh sách lỗi kèm vị trí dòng, cột; sửa tệp rồi tải lên lại.",
    "{count} findings block the import",
)
IMPORT_RUNNING = Refusal(
    "HB-REC-003",
    409,
    "Lượt nhập đã được xác nhận",
    "Lượt nhập này không còn ở trạng thái chờ xác nhận: {state}.",
    "Tải tệp lên lại để xem trước rồi xác nhận.",
    "the import was confirmed already",
)
NO_FILES = Refusal(
    "HB-REC-004",
    422,
    "Chưa chọn tệp",
    "Yêu cầu không có tệp nào.",
    "Chọn tệp ho_so_truong.xlsx và các tệp kết quả của từng lớp rồi tải lên.",
    "no files were sent",
)
NOTHING_SELECTED = Refusal(
    "HB-REC-005",
    422,
    "Chưa chọn học sinh hoặc lớp",
    "Không có học sinh nào trong phần đã chọn.",
    "Tích chọn học sinh hoặc lớp rồi thực hiện lại.",
    "the selection is empty",
)
NOT_COMPLETE = Refusal(
    "HB-REC-006",
    422,
    "Chưa đủ điều kiện tạo học bạ",
    "{reason}",
    "Bổ sung thông tin còn thiếu, nhập lại dữ liệu rồi tạo học bạ.",
    "incomplete: {field}",
)
UNPRINTABLE = Refusal(
    "HB-REC-010",
    422,
    "Không lập được học bạ từ dữ liệu này",
    "Dữ liệu có nội dung không đưa được vào mẫu học bạ: {problem}",
    "Sửa nội dung được nêu trong dữ liệu nguồn rồi nhập lại.",
    "the documents cannot be made: {problem}",
)
ALREADY_CREATED = Refusal(
    "HB-REC-007",
    409,
    "Học bạ đã được tạo",
    "Học sinh này đã có học bạ của năm học.",
    "Nếu học bạ sai, thực hiện trả lại và hủy học bạ trước khi tạo lại.",
    "a transcript exists already",
)
WRONG_STATE = Refusal(
    "HB-REC-008",
    409,
    "Trạng thái học bạ không cho phép",
    "Học bạ đang ở trạng thái «{state}» nên không thực hiện được thao tác này.",
    "Tải lại trang để xem trạng thái mới nhất.",
    "not possible in state {state}",
)
NO_DOCUMENT = Refusal(
    "HB-REC-009",
    404,
    "Chưa có tệp",
    "Tệp này chưa được tạo ở bước hiện tại của học bạ.",
    "Tệp PDF có sau khi giáo viên bộ môn ký xong.",
    "the document does not exist yet",
)
