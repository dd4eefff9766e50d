"""What transfers of pupils between schools refuse."""

from __future__ import annotations

from services.chassis.errors import Refusal

WRONG_FORM = Refusal(
    "HB-REC-140",
    422,
    "Thông tin chuyển trường chưa đủ",
    "{reason}",
    "Bổ sung thông tin được nêu rồi thực hiện lại.",
    "the transfer form is incomplete",
)
ALREADY_LEFT = Refusal(
    "HB-REC-141",
    409,
    "Học sinh đã chuyển đi",
    "Học sinh này đã có gói chuyển trường số {number} còn hiệu lực.",
    "Dùng lại gói đã lập; nếu lập sai, hủy chuyển trường rồi lập gói mới.",
    "a transfer of this pupil stands",
)
NOTHING_SEALED = Refusal(
    "HB-REC-142",
    409,
    "Chưa có học bạ hoàn thành ký",
    "Học sinh chưa có học bạ nào đã hoàn thành ký, và trường cũng không có học bạ nhận từ trường khác.",
    "Hoàn thành ký học bạ của học sinh rồi lập gói chuyển trường.",
    "no sealed document of this pupil is here",
)
NO_PROFILE = Refusal(
    "HB-REC-143",
    409,
    "Hồ sơ học sinh chưa đầy đủ",
    "Dữ liệu của học sinh chưa đủ họ tên, ngày sinh, số định danh cá nhân.",
    "Sửa dữ liệu trong CSDL ngành, nhập lại rồi lập gói chuyển trường.",
    "the pupil has no complete profile",
)
NOT_UNDONE = Refusal(
    "HB-REC-144",
    409,
    "Không hủy chuyển trường được",
    "Việc chuyển trường này đã hủy, hoặc trường nhận đã tiếp nhận học sinh.",
    "Tải lại trang để xem trạng thái. Học sinh đã được tiếp nhận thì đề nghị trường nhận lập gói chuyển về.",
    "the transfer is {state}",
)
NO_PACKAGE = Refusal(
    "HB-REC-150",
    422,
    "Chưa chọn tệp gói chuyển trường",
    "Cần chọn đúng một tệp gói chuyển trường (.zip).",
    "Chọn tệp do trường chuyển đi gửi rồi tải lên.",
    "exactly one file is needed",
)
PACKAGE_TOO_LARGE = Refusal(
    "HB-REC-151",
    413,
    "Gói chuyển trường quá lớn",
    "Tệp lớn hơn {most} MB.",
    "Đề nghị trường chuyển đi lập lại gói của riêng học sinh này.",
    "the package is larger than {most} MB",
)
PACKAGE_CHANGED = Refusal(
    "HB-REC-152",
    422,
    "Gói chuyển trường không nguyên vẹn",
    "Tệp {file}: {reason}.",
    "Không tiếp nhận gói này. Đề nghị trường chuyển đi gửi lại đúng tệp đã lập.",
    "not as it was sealed: {file}",
)
NOT_BELIEVED = Refusal(
    "HB-REC-153",
    422,
    "Niêm phong không được tin cậy",
    "Gói được niêm phong bởi một hệ thống không có trong danh sách tin cậy (vân tay {fingerprint}).",
    "Liên hệ bộ phận vận hành để đối chiếu và thêm chứng thư niêm phong của hệ thống đó.",
    "the seal is of an unknown installation",
)
NOT_A_TRANSFER = Refusal(
    "HB-REC-154",
    422,
    "Không phải gói chuyển trường",
    "{reason}",
    "Kiểm tra lại tệp đã chọn.",
    "not a transfer package",
)
OTHER_SCHOOL = Refusal(
    "HB-REC-155",
    422,
    "Gói gửi cho trường khác",
    "Gói này được lập cho trường có mã {school}.",
    "Đề nghị trường chuyển đi kiểm tra mã trường nhận và lập lại gói.",
    "sealed for school {school}",
)
PACKAGE_CANCELLED = Refusal(
    "HB-REC-156",
    409,
    "Gói chuyển trường đã bị hủy",
    "Trường chuyển đi đã hủy việc chuyển trường này.",
    "Liên hệ trường chuyển đi.",
    "the sending school cancelled this transfer",
)
NOT_TAKEN = Refusal(
    "HB-REC-157",
    409,
    "Không tiếp nhận được gói này",
    "Gói có tài liệu không hợp lệ, hoặc không khớp với học sinh.",
    "Xem kết quả kiểm tra từng tài liệu; đề nghị trường chuyển đi gửi lại gói đúng.",
    "the package holds invalid documents",
)
ALREADY_TAKEN = Refusal(
    "HB-REC-158",
    409,
    "Gói đã được tiếp nhận",
    "Gói chuyển trường này đã được tiếp nhận trước đó.",
    "Xem hồ sơ học tập của học sinh.",
    "taken already",
)
UNCHECKED_NOT_ACCEPTED = Refusal(
    "HB-REC-159",
    422,
    "Còn chữ ký chưa kiểm tra được",
    "Một số chữ ký chưa kiểm tra được nên cần người tiếp nhận xác nhận đã đối chiếu.",
    "Đối chiếu với trường chuyển đi, tích vào ô xác nhận rồi tiếp nhận.",
    "unchecked signatures need to be accepted explicitly",
)
OTHER_PUPIL = Refusal(
    "HB-REC-164",
    409,
    "Không khớp với học sinh đã có",
    "Mã học sinh trong gói đang thuộc về một học sinh khác ở trường (khác số định danh cá nhân).",
    "Kiểm tra lại mã học sinh trong CSDL ngành trước khi tiếp nhận.",
    "the pupil code belongs to somebody else here",
)
NO_SUCH_CLASS = Refusal(
    "HB-REC-165",
    422,
    "Lớp không có trong năm học",
    "Lớp được chọn không có trong năm học đang mở của trường, hoặc năm học đã khóa học bạ.",
    "Chọn lớp khác, hoặc chỉ lưu hồ sơ rồi xếp lớp sau khi nhập dữ liệu.",
    "no such class in an open year",
)
