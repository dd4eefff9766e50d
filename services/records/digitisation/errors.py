"""What digitising paper transcripts refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

WRONG_YEAR = Refusal(
    "HB-REC-170",
    422,
    "Không số hóa được năm học này",
    "{reason}",
    "Chọn một năm học đã kết thúc, trước năm học mới nhất của trường.",
    "the school year cannot be digitised",
)
BORN_DIGITAL = Refusal(
    "HB-REC-171",
    409,
    "Năm học đã có học bạ số",
    "Năm học này đã có {count} học bạ số được tạo trên hệ thống, không phải số hóa.",
    "Mở số hóa riêng cho học sinh mang theo học bạ giấy.",
    "{count} transcripts of the year were made here",
)
WRONG_PERSON = Refusal(
    "HB-REC-172",
    422,
    "Người được phân công chưa phù hợp",
    "{reason}",
    "Chọn lại người rà soát và lãnh đạo ký trong danh sách cán bộ của năm học mới nhất.",
    "the reviewer or the leader is not of the staff",
)
TRANSCRIPT_STANDS = Refusal(
    "HB-REC-173",
    409,
    "Học sinh đã có học bạ của năm học này",
    "Học bạ của học sinh trong năm học này đã được tạo nên dữ liệu số hóa không thay đổi được nữa.",
    "Nếu học bạ sai, trả lại và hủy học bạ rồi sửa dữ liệu số hóa.",
    "a live transcript stands",
)
WRONG_PAPER = Refusal(
    "HB-REC-174",
    422,
    "Thông tin học bạ giấy chưa đúng",
    "{reason}",
    "Kiểm tra lại trên học bạ giấy rồi nhập lại.",
    "wrong data of the paper transcript",
)
NOT_OPEN = Refusal(
    "HB-REC-175",
    404,
    "Chưa mở số hóa",
    "Học sinh này không thuộc năm học hoặc danh sách đang số hóa.",
    "Đề nghị lãnh đạo nhà trường lập kế hoạch số hóa năm học, hoặc mở số hóa cho học sinh.",
    "not opened for digitising",
)
WRONG_VALUES = Refusal(
    "HB-REC-176",
    422,
    "Dữ liệu chưa đúng",
    "Còn {count} ô chưa đúng hoặc còn thiếu.",
    "Sửa các ô được nêu rồi lưu lại.",
    "{count} fields are wrong",
)
WRONG_SCAN = Refusal(
    "HB-REC-177",
    422,
    "Không nhận được bản quét",
    "Bản quét: {reason}.",
    "Quét lại thành một tệp PDF không đặt mật khẩu (tối đa 20 MB), hoặc các ảnh PNG, JPEG của từng trang.",
    "the scan cannot be taken",
)
SCAN_NEEDED = Refusal(
    "HB-REC-178",
    409,
    "Chưa có bản quét hoặc dữ liệu",
    "Chưa có đủ bản quét học bạ giấy và dữ liệu nên chưa đối chiếu được.",
    "Tải lên bản quét và nhập dữ liệu trước.",
    "scan or data are not there yet",
)
NO_SUCH_PART = Refusal(
    "HB-REC-179",
    404,
    "Không có phần này",
    "Phần nội dung này không còn trong học bạ đang số hóa.",
    "Tải lại trang để xem phân công mới nhất.",
    "no such part",
)
TICK_NEEDED = Refusal(
    "HB-REC-180",
    422,
    "Chưa xác nhận bản quét",
    "Cần xác nhận bản quét là học bạ giấy của đúng học sinh này, đủ trang và đọc được.",
    "Đối chiếu họ tên, ngày sinh trên bản quét rồi tích vào ô xác nhận.",
    "the scan's owner was not confirmed",
)
REASON_NEEDED = Refusal(
    "HB-REC-181",
    422,
    "Chưa ghi lý do trả lại",
    "Lý do trả lại có từ 10 đến {most} ký tự.",
    "Ghi rõ nội dung không khớp với học bạ giấy.",
    "a reason of 10 to {most} characters is needed",
)
DATA_CHANGED = Refusal(
    "HB-REC-182",
    409,
    "Dữ liệu vừa thay đổi",
    "Dữ liệu hoặc bản quét của phần này đã thay đổi so với trang đang xem.",
    "Xem lại nội dung mới rồi xác nhận.",
    "the part changed after the page was shown",
)
NOT_REVIEWED = Refusal(
    "HB-REC-183",
    422,
    "Chưa đối chiếu xong",
    "{reason}",
    "Hoàn thành đối chiếu mọi phần rồi tạo học bạ.",
    "not all is reviewed: {field}",
)
BEFORE_THE_PROGRAMME = Refusal(
    "HB-REC-184",
    422,
    "Năm học trước Chương trình giáo dục phổ thông 2018",
    "Học bạ giấy của năm học trước 2020-2021 được lưu dữ liệu và bản quét, không tạo thành học bạ số.",
    "Sử dụng học bạ giấy của năm học này, hoặc bản sao chứng thực.",
    "the year is before the first one of the 2018 programme",
)
