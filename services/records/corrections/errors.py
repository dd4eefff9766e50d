"""What the correction procedure refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

NOT_LOCKED = Refusal(
    "HB-REC-120",
    409,
    "Dữ liệu chưa khóa",
    "Kết quả của học sinh chưa khóa dữ liệu: lớp chưa hoàn thành tổng kết, hoặc kết quả còn thiếu, còn sai quy định.",
    "Sửa trong dữ liệu nguồn rồi nhập lại; phiếu đề nghị sửa chỉ cần khi dữ liệu đã khóa.",
    "the result is not locked, so it is imported again instead",
)
TOO_LATE = Refusal(
    "HB-REC-121",
    409,
    "Quá thời hạn sửa dữ liệu",
    "Dữ liệu chỉ được sửa đến hết ngày {last}, một tuần trước ngày khóa học bạ {day}.",
    "Nếu nhà trường khóa học bạ vào ngày khác, đề nghị Hiệu trưởng đặt lại ngày dự kiến tại mục “Khóa học bạ”.",
    "corrections end a week before the final lock: {last}",
)
UNKNOWN_FIELD = Refusal(
    "HB-REC-122",
    422,
    "Không sửa được nội dung này",
    "Kết quả của học sinh không có nội dung “{field}”, hoặc nội dung này không thuộc môn học thầy/cô dạy ở lớp.",
    "Chọn lại nội dung cần sửa trong danh sách.",
    "the result has no such field, or it is not the asker's subject",
)
WRONG_VALUE = Refusal(
    "HB-REC-123",
    422,
    "Giá trị mới không hợp lệ",
    "Nội dung “{field}”: {reason}.",
    "Nhập lại giá trị mới theo đúng quy định đánh giá.",
    "the new value cannot be taken",
)
INCONSISTENT = Refusal(
    "HB-REC-124",
    422,
    "Kết quả sau khi sửa trái quy định",
    "{reason} Căn cứ: {article}.",
    "Xem lại giá trị mới; nếu nội dung khác mới là nội dung sai, lập phiếu cho nội dung đó.",
    "the result after the correction would contradict {article}",
)
ALREADY_ASKED = Refusal(
    "HB-REC-125",
    409,
    "Đã có phiếu đề nghị sửa",
    "Học sinh này đang có một phiếu đề nghị sửa dữ liệu chưa xong.",
    "Chờ phiếu đó hoàn tất, hoặc rút phiếu đó rồi lập phiếu mới.",
    "the pupil has an open request",
)
EVIDENCE_NEEDED = Refusal(
    "HB-REC-126",
    422,
    "Thiếu minh chứng",
    "Việc sửa dữ liệu chỉ được thực hiện khi có minh chứng.",
    "Đính kèm từ 1 đến {most} tệp PDF, PNG hoặc JPEG.",
    "between 1 and {most} files of evidence are needed",
)
WRONG_EVIDENCE = Refusal(
    "HB-REC-127",
    422,
    "Tệp minh chứng không hợp lệ",
    "Tệp thứ {number}: {reason}.",
    "Đính kèm tệp PDF, PNG hoặc JPEG, mỗi tệp không quá 10 MB.",
    "file {number} is not usable evidence",
)
WRONG_STEP = Refusal(
    "HB-REC-128",
    409,
    "Phiếu không còn ở bước này",
    "Phiếu đang ở trạng thái «{state}» nên không thực hiện được thao tác này.",
    "Tải lại trang để xem trạng thái mới nhất của phiếu.",
    "not possible in state {state}",
)
OWN_REQUEST = Refusal(
    "HB-REC-129",
    403,
    "Không tự duyệt phiếu của mình",
    "Người lập phiếu không được phê duyệt hoặc từ chối phiếu của chính mình.",
    "Đề nghị cán bộ quản lý khác của trường xem xét phiếu này.",
    "nobody decides an own request",
)
ALREADY_WITNESSED = Refusal(
    "HB-REC-130",
    409,
    "Đã có người chứng kiến",
    "Thành phần này đã có người xác nhận, hoặc thầy/cô đã xác nhận ở thành phần khác; mỗi người chỉ đại diện một thành phần.",
    "Chờ các thành phần còn lại xác nhận.",
    "the party has its witness, or the person stands for another one",
)
TRANSCRIPT_FIRST = Refusal(
    "HB-REC-131",
    409,
    "Cần hủy học bạ trước",
    "Học sinh đã có học bạ được tạo từ dữ liệu này; mở khóa và sửa chỉ thực hiện khi học bạ đó đã hủy.",
    "Trả lại rồi hủy học bạ tại mục 2.6, sau đó xác nhận mở khóa; sửa xong thì tạo lại học bạ (phiên bản mới).",
    "a live transcript stands; it has to be cancelled first",
)
NOT_AS_APPROVED = Refusal(
    "HB-REC-132",
    422,
    "Khác với giá trị đã phê duyệt",
    "Giá trị nhập vào không phải là giá trị mới đã được Hiệu trưởng phê duyệt trong phiếu.",
    "Nhập đúng giá trị mới ghi trong phiếu, hoặc khóa lại và lập phiếu khác.",
    "what was typed is not the approved value",
)
CHANGED_MEANWHILE = Refusal(
    "HB-REC-133",
    409,
    "Dữ liệu đã khác lúc lập phiếu",
    "Giá trị hiện tại của nội dung cần sửa không còn là giá trị cũ ghi trong phiếu.",
    "Rút phiếu hoặc khóa lại, rồi lập phiếu mới theo dữ liệu hiện tại.",
    "the present value is not the one in the request",
)
NO_INSPECTOR = Refusal(
    "HB-REC-134",
    409,
    "Chưa cử người của Ban TTND",
    "Năm học này chưa có người của Ban thanh tra nhân dân chứng kiến việc mở khóa.",
    "Hiệu trưởng cử người tại mục “Khóa học bạ” rồi phê duyệt phiếu.",
    "no member of the people's inspection board was appointed",
)
CHANGED_WHILE_OPEN = Refusal(
    "HB-REC-135",
    409,
    "Dữ liệu đã thay đổi khi mở khóa",
    "Từ lúc mở khóa, dữ liệu của học sinh đã thay đổi nên không thể khóa lại như chưa sửa.",
    "Hoàn tất việc sửa theo phiếu; biên bản ghi mọi thay đổi.",
    "the result changed since it was unlocked",
)
