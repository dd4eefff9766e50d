"""What verification refuses. A document that is not what it says is no refusal: that is what people come for."""

from __future__ import annotations

from services.chassis.errors import Refusal

NO_FILE = Refusal(
    "HB-PUB-040",
    422,
    "Chưa chọn tệp",
    "Chưa có tệp nào được gửi lên để kiểm tra.",
    "Chọn tệp PDF hoặc XML của học bạ rồi bấm Kiểm tra tệp.",
    "no file was sent",
)
FILE_TOO_LARGE = Refusal(
    "HB-PUB-041",
    413,
    "Tệp quá lớn",
    "Chỉ kiểm tra được tệp không quá 20 MB.",
    "Kiểm tra tệp học bạ gốc, hoặc dùng lệnh kiểm tra ngoại tuyến với tệp lớn hơn.",
    "a file to be verified has 20 MB at most",
)
NOT_A_DOCUMENT = Refusal(
    "HB-PUB-042",
    422,
    "Không phải tệp PDF hoặc XML",
    "Nội dung gửi lên là {what}, dù tên tệp là gì.",
    "Chọn tệp PDF hoặc XML đã ký số; ảnh chụp hoặc bản in thì nhập mã định danh hoặc quét mã QR trên đó.",
    "neither a PDF nor an XML document",
)
TOOK_TOO_LONG = Refusal(
    "HB-PUB-043",
    422,
    "Chưa kiểm tra được tệp này",
    "Việc kiểm tra tệp vượt quá thời gian hoặc bộ nhớ cho phép; điều này không có nghĩa là tệp không hợp lệ.",
    "Dùng lệnh kiểm tra ngoại tuyến, hoặc nhập mã định danh trên học bạ.",
    "judging the file needed more time or memory than is granted",
)
BUSY = Refusal(
    "HB-PUB-044",
    503,
    "Đang có nhiều tệp chờ kiểm tra",
    "Hệ thống đang kiểm tra nhiều tệp cùng lúc.",
    "Thử lại sau ít giây; vẫn tra cứu được bằng mã định danh.",
    "too many files wait to be judged",
)
NO_CODE = Refusal(
    "HB-PUB-045",
    422,
    "Mã định danh chưa đúng",
    "Mã định danh gồm 32 chữ số và chữ cái từ a đến f; mã ngắn là 12 ký tự đầu của mã đó.",
    "Nhập lại mã in dưới mã QR của học bạ.",
    "the code is no UUID and no short code",
)
