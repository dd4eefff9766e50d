"""Acts and their details in words. Every act that any service records has its line here; a test compares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.chassis.web.look import vn_number, vn_time

SIGN_IN, PEOPLE, CERTIFICATES, DATA, SIGNING, SENDING, OVERSEEING = (
    "Đăng nhập",
    "Tổ chức, nhân sự",
    "Chứng thư số, tài khoản ký",
    "Dữ liệu học bạ",
    "Ký số",
    "Gửi học bạ",
    "Kiểm tra, giám sát",
)
KINDS = (SIGN_IN, PEOPLE, CERTIFICATES, DATA, SIGNING, SENDING, OVERSEEING)


@dataclass(frozen=True)
class Words:
    """`refused`: nothing was done, or what was asked for was turned down."""

    text: str
    kind: str
    refused: bool = False


ACTS: dict[str, Words] = {
    "look-up exported": Words("Xuất kết quả tra cứu học bạ số", OVERSEEING),
    "signed in": Words("Đăng nhập", SIGN_IN),
    "signed out": Words("Đăng xuất", SIGN_IN),
    "session ended": Words("Đăng xuất một thiết bị", SIGN_IN),
    "other sessions ended": Words("Đăng xuất mọi thiết bị khác", SIGN_IN),
    "sign-in link asked for": Words("Yêu cầu liên kết tài khoản đăng nhập bên ngoài", SIGN_IN),
    "sign-in link decided": Words("Duyệt hoặc từ chối liên kết đăng nhập", SIGN_IN),
    "sign-in link removed": Words("Xoá liên kết đăng nhập", SIGN_IN),
    "password changed": Words("Đổi mật khẩu", SIGN_IN),
    "password refused": Words("Nhập sai mật khẩu", SIGN_IN, refused=True),
    "sign-in locked": Words("Tạm khoá đăng nhập do nhập sai nhiều lần", SIGN_IN, refused=True),
    "password recovery asked for": Words("Yêu cầu cấp lại mật khẩu", SIGN_IN),
    "recovery link made": Words("Tạo đường dẫn đặt lại mật khẩu", SIGN_IN),
    "password recovery refused": Words("Từ chối cấp lại mật khẩu", SIGN_IN, refused=True),
    "password reset": Words("Đặt lại mật khẩu bằng đường dẫn", SIGN_IN),
    "identity confirmed": Words("Xác nhận lại danh tính", SIGN_IN),
    "second factor enrolled": Words("Thêm cách xác thực hai lớp", SIGN_IN),
    "second factor given": Words("Xác thực hai lớp", SIGN_IN),
    "second factor refused": Words("Xác thực hai lớp không đúng", SIGN_IN, refused=True),
    "second factor removed": Words("Xoá cách xác thực hai lớp", SIGN_IN),
    "spare codes made": Words("Tạo mã dự phòng", SIGN_IN),
    "administrator taken": Words("Thu quyền quản trị viên", PEOPLE),
    "officer moved": Words("Chuyển cán bộ quản lý cấp trên sang đơn vị khác", PEOPLE),
    "officer released": Words("Cán bộ quản lý cấp trên thôi nhiệm vụ", PEOPLE),
    "change planned": Words("Lập kế hoạch thay đổi đơn vị, trường", PEOPLE),
    "change done": Words("Thay đổi đơn vị, trường có hiệu lực", PEOPLE),
    "change undone": Words("Huỷ kế hoạch thay đổi đơn vị, trường", PEOPLE),
    "change failed": Words("Không thực hiện được thay đổi đơn vị, trường", PEOPLE, refused=True),
    "school year opened": Words("Mở năm học", PEOPLE),
    "dates set": Words("Đặt ngày của năm học", PEOPLE),
    "one-time password issued": Words("Cấp mật khẩu dùng một lần", PEOPLE),
    "unit set": Words("Khai báo đơn vị quản lý", PEOPLE),
    "school set": Words("Khai báo trường", PEOPLE),
    "officer set": Words("Khai báo cán bộ quản lý cấp trên", PEOPLE),
    "administrator set": Words("Khai báo quản trị viên của trường", PEOPLE),
    "staff imported": Words("Cập nhật nhân sự từ dữ liệu nhập", PEOPLE),
    "person entered": Words("Thêm nhân sự chưa có trong dữ liệu nhập", PEOPLE),
    "person corrected": Words("Sửa thông tin nhân sự nhập thêm", PEOPLE),
    "person left": Words("Ghi nhận nghỉ, chuyển đi", PEOPLE),
    "person returned": Words("Ghi nhận trở lại công tác", PEOPLE),
    "account unlocked": Words("Mở khoá đăng nhập", PEOPLE),
    "signed out everywhere": Words("Đăng xuất khỏi mọi thiết bị", PEOPLE),
    "issue right set": Words("Phân quyền Ký phát hành", PEOPLE),
    "signing account registered": Words("Đăng ký tài khoản ký", CERTIFICATES),
    "school certificate registered": Words("Đăng ký chứng thư số của trường", CERTIFICATES),
    "signing account decided": Words("Duyệt hoặc từ chối tài khoản ký", CERTIFICATES),
    "school certificate decided": Words("Ghi nhận kết quả duyệt chứng thư số của trường", CERTIFICATES),
    "approve certificate": Words("Duyệt chứng thư số", CERTIFICATES),
    "refuse certificate": Words("Từ chối chứng thư số", CERTIFICATES, refused=True),
    "lock dates set": Words("Đặt ngày khóa tiếp nhận, khóa thu hồi", DATA),
    "signing account watched": Words("Theo dõi chứng thư số của tài khoản ký", CERTIFICATES),
    "school certificate watched": Words("Theo dõi chứng thư số của trường", CERTIFICATES),
    "signing account copied": Words("Lấy tài khoản ký từ năm trước", CERTIFICATES),
    "school certificate copied": Words("Lấy chứng thư số của trường từ năm trước", CERTIFICATES),
    "signing accounts exported": Words("Kết xuất danh sách tài khoản ký", CERTIFICATES),
    "key proof begun": Words("Bắt đầu chứng minh đang giữ khoá ký", CERTIFICATES),
    "key proof asked": Words("Yêu cầu ký thử để chứng minh đang giữ khoá", CERTIFICATES),
    "key proof ended": Words("Kết thúc chứng minh đang giữ khoá ký", CERTIFICATES),
    "image uploaded": Words("Tải lên ảnh chữ ký hoặc con dấu", CERTIFICATES),
    "image edited": Words("Chỉnh sửa ảnh chữ ký hoặc con dấu", CERTIFICATES),
    "image restored": Words("Dùng lại ảnh chữ ký hoặc con dấu trước đó", CERTIFICATES),
    "import read": Words("Tải lên tệp dữ liệu tổng kết để xem trước", DATA),
    "import reviewed": Words("Lập lại bản xem trước dữ liệu nhập", DATA),
    "data pulled": Words("Lấy dữ liệu từ CSDL ngành", DATA),
    "import": Words("Nhập dữ liệu tổng kết", DATA),
    "correction asked": Words("Lập phiếu đề nghị sửa dữ liệu", DATA),
    "correction forwarded": Words("Báo cáo Hiệu trưởng phiếu đề nghị sửa", DATA),
    "correction turned down": Words("Ban quản trị từ chối phiếu đề nghị sửa", DATA, refused=True),
    "correction approved": Words("Phê duyệt phiếu đề nghị sửa", DATA),
    "correction refused": Words("Từ chối phiếu đề nghị sửa", DATA, refused=True),
    "unlock witnessed": Words("Xác nhận chứng kiến mở khóa dữ liệu", DATA),
    "correction withdrawn": Words("Rút phiếu đề nghị sửa", DATA),
    "result locked again": Words("Khóa lại dữ liệu, không sửa", DATA),
    "result corrected": Words("Sửa dữ liệu theo phiếu, khóa lại", DATA),
    "lock planned": Words("Đặt ngày khóa học bạ dự kiến", DATA),
    "inspector appointed": Words("Cử người của Ban thanh tra nhân dân", DATA),
    "school year locked": Words("Khóa học bạ của năm học", DATA),
    "school year unlocked": Words("Mở khóa học bạ của năm học", DATA),
    "create": Words("Tạo học bạ", DATA),
    "create summary": Words("Tạo bảng tổng hợp kết quả ĐGGD", DATA),
    "cancel creation": Words("Dừng lượt tạo học bạ", DATA),
    "printing configured": Words("Cấu hình in học bạ", DATA),
    "finalise class": Words("Xác nhận hoàn thành tổng kết", DATA),
    "undo finalise class": Words("Hủy xác nhận hoàn thành tổng kết", DATA),
    "confirm": Words("Xác nhận hoàn thành học bạ", DATA),
    "return stopped": Words("Trả lại học bạ không ký tiếp được", DATA),
    "refuse cancellation": Words("Từ chối hủy học bạ", DATA, refused=True),
    "cancel transcript": Words("Hủy học bạ", DATA),
    "undo confirm": Words("Huỷ xác nhận hoàn thành học bạ", DATA),
    "transcripts exported": Words("Xuất dữ liệu học bạ", DATA),
    "class printed": Words("In học bạ cả lớp", DATA),
    "copy asked for": Words("Ghi nhận yêu cầu cấp bản sao", DATA),
    "copy issued": Words("Cấp bản sao, bản trích sao học bạ", DATA),
    "copy declined": Words("Không cấp bản sao học bạ", DATA, refused=True),
    "copy revoked": Words("Thu hồi bản sao học bạ", DATA),
    "copy register exported": Words("Xuất sổ cấp bản sao", DATA),
    "pupil transferred out": Words("Lập gói chuyển trường", DATA),
    "transfer cancelled": Words("Hủy chuyển trường", DATA),
    "transfer package downloaded": Words("Tải gói chuyển trường", DATA),
    "transfer package examined": Words("Kiểm tra gói chuyển trường nhận được", DATA),
    "transfer package refused": Words("Từ chối gói chuyển trường không nguyên vẹn", DATA, refused=True),
    "pupil transferred in": Words("Tiếp nhận học sinh chuyển đến", DATA),
    "transfer taken over": Words("Trường nhận đã tiếp nhận học sinh chuyển đi", DATA),
    "digitising planned": Words("Lập kế hoạch số hóa học bạ giấy của năm học", DATA),
    "paper transcript opened": Words("Mở số hóa học bạ giấy của học sinh", DATA),
    "paper transcript typed": Words("Nhập dữ liệu học bạ giấy", DATA),
    "scan of a paper transcript kept": Words("Tải lên bản quét học bạ giấy", DATA),
    "part of a paper transcript reviewed": Words("Đối chiếu một phần học bạ giấy", DATA),
    "part of a paper transcript sent back": Words("Trả lại một phần học bạ giấy", DATA, refused=True),
    "archive export ordered": Words("Yêu cầu đóng gói lưu trữ năm học", DATA),
    "archive exported": Words("Đóng gói lưu trữ năm học", DATA),
    "archive export failed": Words("Không đóng gói được do tệp lưu trữ bị hỏng", DATA, refused=True),
    "archive downloaded": Words("Tải gói lưu trữ năm học", DATA),
    "start batch": Words("Bắt đầu ký", SIGNING),
    "cancel batch": Words("Dừng lượt ký", SIGNING),
    "return": Words("Trả lại học bạ, đề xuất hủy", SIGNING),
    "sign": Words("Ký học bạ", SIGNING),
    "not signed": Words("Không ký được học bạ", SIGNING, refused=True),
    "stored file differs": Words("Phát hiện tệp lưu trữ sai khác với tệp đã ký", SIGNING, refused=True),
    "stored file whole again": Words("Tệp lưu trữ đã đúng trở lại với tệp đã ký", SIGNING),
    "agent pairing begun": Words("Tạo mã ghép công cụ ký", SIGNING),
    "agent paired": Words("Ghép công cụ ký", SIGNING),
    "agent asked": Words("Gửi yêu cầu đến công cụ ký", SIGNING),
    "agent answered": Words("Công cụ ký trả lời", SIGNING),
    "submit": Words("Gửi học bạ lên hệ thống", SENDING),
    "submission stopped": Words("Dừng gửi do tệp lưu trữ bị hỏng", SENDING, refused=True),
    "package sent": Words("Chuyển gói học bạ đến Cổng tiếp nhận", SENDING),
    "draft withdrawal": Words("Tạo yêu cầu thu hồi", SENDING),
    "edit withdrawal": Words("Sửa yêu cầu thu hồi", SENDING),
    "delete withdrawal": Words("Xóa bản nháp yêu cầu thu hồi", SENDING),
    "send withdrawal": Words("Gửi yêu cầu thu hồi lên hệ thống", SENDING),
    "recall withdrawal": Words("Rút yêu cầu thu hồi", SENDING),
    "withdrawal stopped": Words("Dừng yêu cầu thu hồi do tệp đã ký sai lệch", SENDING, refused=True),
    "withdrawal obeyed": Words("Cổng tiếp nhận thu hồi học bạ", SENDING),
    "withdrawal not obeyed": Words("Cổng tiếp nhận không thu hồi học bạ", SENDING, refused=True),
    "approve withdrawal": Words("Duyệt yêu cầu thu hồi", SENDING),
    "refuse withdrawal": Words("Từ chối yêu cầu thu hồi", SENDING),
    "transcripts read by consumer": Words("Hệ thống khác khai thác danh sách học bạ", SENDING),
    "file read by consumer": Words("Hệ thống khác khai thác tệp học bạ", SENDING),
    "share link made": Words("Tạo đường dẫn chia sẻ học bạ", SENDING),
    "share link revoked": Words("Thu hồi đường dẫn chia sẻ học bạ", SENDING),
    "share link opened": Words("Mở học bạ bằng đường dẫn chia sẻ", SENDING),
    "shared file fetched": Words("Xem hoặc tải tệp học bạ bằng đường dẫn chia sẻ", SENDING),
    "gateway searched": Words("Tra cứu học bạ trên Cổng tiếp nhận", SENDING),
    "send to admissions": Words("Gửi học bạ lên Cổng Tuyển sinh", SENDING),
    "admission stopped": Words("Dừng gửi tuyển sinh do tệp lưu trữ bị hỏng", SENDING, refused=True),
    "admission receipted": Words("Cổng Tuyển sinh gửi biên nhận", SENDING),
    "admission refused": Words("Cổng Tuyển sinh từ chối học bạ", SENDING, refused=True),
    "receipt doubted": Words("Biên nhận của Cổng Tuyển sinh không hợp lệ", SENDING, refused=True),
    "admission fallen": Words("Học bạ đã gửi tuyển sinh không còn hiệu lực", SENDING),
    "admission revoked": Words("Cổng Tuyển sinh ghi nhận thu hồi học bạ", SENDING),
    "package answered": Words("Cổng tiếp nhận trả lời gói học bạ", SENDING),
    "activity seen": Words("Đánh dấu đã xem hoạt động bất thường", OVERSEEING),
    "audit exported": Words("Kết xuất nhật ký hoạt động", OVERSEEING),
    "problem reported": Words("Báo lỗi", OVERSEEING),
    "problem answered": Words("Trả lời báo lỗi", OVERSEEING),
}
REFUSED_ACTS = tuple(act for act, words in ACTS.items() if words.refused)
MACHINES = {
    "anonymous": "Chưa đăng nhập",
    "bootstrap": "Thiết lập hệ thống",
    "identity": "Hệ thống tài khoản",
    "records": "Hệ thống dữ liệu",
    "signing": "Hệ thống ký số",
    "publishing": "Hệ thống gửi học bạ",
    "district": "Hệ thống quản lý cấp trên",
    "national-gateway": "Cổng tiếp nhận",
    "admissions-portal": "Cổng Tuyển sinh",
}
"""Who acts without being a person."""
SERVICES = {
    "identity": "Tài khoản, chứng thư số",
    "records": "Dữ liệu học bạ",
    "signing": "Ký số",
    "publishing": "Gửi học bạ",
    "district": "Quản lý cấp trên",
}
FIELDS = {
    "accepted": "Đã tiếp nhận",
    "address": "Địa chỉ mạng",
    "after": "Sau",
    "agent": "Công cụ ký",
    "attempt": "Lần thứ",
    "attempts": "Số lần gửi",
    "before": "Trước",
    "by": "Bằng",
    "bytes": "Dung lượng (byte)",
    "certificate": "Chứng thư số",
    "changed": "Thay đổi",
    "class": "Lớp",
    "classes": "Số lớp",
    "code": "Mã lỗi",
    "complete": "Đủ dữ liệu",
    "copied_from": "Lấy từ",
    "copies": "Số bản",
    "count": "Số lượng",
    "created": "Đã tạo",
    "day": "Ngày thực hiện",
    "deadline": "Hạn nộp",
    "desk": "Nơi xử lý",
    "drop_factors": "Bỏ xác thực hai lớp",
    "ends_on": "Ngày kết thúc",
    "errors": "Lỗi",
    "factor": "Cách xác thực",
    "factors_dropped": "Đã xoá xác thực hai lớp",
    "failure": "Lỗi của công cụ ký",
    "field": "Nội dung",
    "file": "Tệp",
    "files": "Số tệp",
    "findings": "Hoạt động đã xem",
    "found": "Số kết quả",
    "from": "Từ ngày",
    "gone": "Không còn",
    "import": "Lượt nhập",
    "imported": "Theo dữ liệu nhập",
    "items": "Số mục",
    "job": "Lượt xử lý",
    "inspector": "Người của Ban TTND",
    "kind": "Loại",
    "left_out": "Để lại, không nhập",
    "link": "Liên kết",
    "left": "Còn lại",
    "levels": "Cấp học",
    "locked": "Đã khóa",
    "made_by": "Người tạo",
    "means": "Phương tiện",
    "medium": "Hình thức",
    "missing": "Bước đăng nhập còn thiếu",
    "name": "Tên",
    "new": "Mới",
    "number": "Số",
    "officers": "Cán bộ",
    "on": "Ngày",
    "one_time": "Mật khẩu dùng một lần",
    "one_time_before": "Trước đó là mật khẩu dùng một lần",
    "outcome": "Kết quả",
    "page": "Trang",
    "parent": "Đơn vị cấp trên",
    "path": "Các cấp quản lý",
    "planned_on": "Ngày khóa dự kiến",
    "position": "Chức vụ",
    "proof": "Lượt chứng minh",
    "part": "Phần",
    "leader": "Lãnh đạo ký",
    "reviewer": "Người rà soát",
    "party": "Thành phần chứng kiến",
    "form": "Định dạng tệp",
    "consent": "Mã tham chiếu sự đồng ý",
    "consumer": "Hệ thống khai thác",
    "purpose": "Mục đích",
    "passed": "Chuyển theo",
    "provider": "Nhà cung cấp",
    "pupil": "Học sinh",
    "pupils": "Số học sinh",
    "reason": "Lý do",
    "relation": "Quan hệ với học sinh",
    "refusal": "Mã từ chối",
    "refused": "Từ chối",
    "rejected": "Bị từ chối",
    "request": "Yêu cầu",
    "roles": "Vai trò",
    "rows": "Số dòng",
    "school": "Trường",
    "session": "Phiên",
    "sessions": "Các phiên",
    "sha256": "Dấu vân tay SHA-256",
    "signed": "Đã ký",
    "starts_on": "Ngày bắt đầu",
    "state": "Trạng thái",
    "step": "Bước ký",
    "target": "Đơn vị nhận",
    "tax_code": "Mã số thuế",
    "to": "Đến ngày",
    "transcript": "Học bạ",
    "transcripts": "Học bạ",
    "unchecked_told": "Đã báo chưa kiểm tra được",
    "unit": "Đơn vị",
    "until": "Hạn dùng",
    "version": "Phiên bản",
    "warnings": "Cảnh báo",
    "year": "Năm học",
}
VALUES = {
    "own_view": "Người học xem học bạ của mình",
    "administrative": "Thủ tục hành chính",
    "admission": "Tuyển sinh, nhập học",
    "school_transfer": "Chuyển trường",
    "ASKED": "Chờ cấp",
    "CANCELLED": "Đã hủy",
    "DECLINED": "Không cấp",
    "EXTRACT": "Bản trích sao",
    "FILE": "Tệp",
    "INVALID": "Không hợp lệ",
    "ISSUED": "Đã cấp",
    "PAPER": "Bản giấy",
    "REVOKED": "Đã thu hồi",
    "REVOKING": "Đang báo thu hồi",
    "SEALED": "Đã niêm phong",
    "SENT": "Đã gửi",
    "TAKEN": "Đã tiếp nhận",
    "UNCHECKED": "Chưa kiểm tra được",
    "VALID": "Hợp lệ",
    "WHOLE": "Bản sao",
    "asker": "Giáo viên đề nghị sửa",
    "inspection": "Ban thanh tra nhân dân",
    "board": "Ban quản trị",
    "management": "Ban giám hiệu",
    "RELOCKED": "Đã khóa lại",
    "WITHDRAWN": "Đã rút",
    "UNLOCKED": "Đã mở khóa",
    "FORWARDED": "Chờ Hiệu trưởng phê duyệt",
    "SUBMITTED": "Chờ Ban quản trị",
    "ACCEPTED": "Đã tiếp nhận",
    "APPROVED": "Đã duyệt",
    "CLEARED": "Sẵn sàng gửi",
    "CONFIRMED": "Đã xác nhận hoàn thành",
    "DONE": "Đã xong",
    "ENDED": "Đã kết thúc",
    "NEW": "Mới",
    "NOT_SENT": "Chưa gửi",
    "OVERSIGHT": "Phòng/Sở",
    "PENDING": "Chờ duyệt",
    "RECEIPTED": "Đã có biên nhận",
    "REFUSED": "Từ chối",
    "REJECTED": "Bị từ chối",
    "REPLACED": "Đã thay thế",
    "REQUESTED": "Đã yêu cầu gửi",
    "SIGNED": "Đã ký đủ",
    "SUSPENDED": "Tạm dừng",
    "WORKING": "Đang xử lý",
    "abolish_unit": "Giải thể đơn vị",
    "administrator": "Quản trị viên",
    "admissions": "Khóa gửi tuyển sinh",
    "approved": "Đã duyệt",
    "cancelled": "Đã dừng",
    "changes": "Thay đổi từ lần trước",
    "class_summary": "Bảng tổng hợp",
    "withdrawal_request": "Yêu cầu thu hồi",
    "clerk": "Nhân viên học vụ",
    "close_school": "Đóng cửa trường",
    "expired": "Quá thời hạn",
    "failed": "Không thực hiện được",
    "full": "Toàn bộ",
    "homeroom": "Giáo viên chủ nhiệm ký duyệt",
    "homeroom_teacher": "Giáo viên chủ nhiệm",
    "intake": "Khóa tiếp nhận",
    "issue": "Ký phát hành",
    "issuer": "Nhân sự ký phát hành",
    "leader": "Lãnh đạo ký duyệt",
    "manager": "Cán bộ quản lý",
    "merge_unit": "Sáp nhập đơn vị",
    "move_school": "Chuyển trường sang đơn vị khác",
    "move_unit": "Chuyển đơn vị cấp trên",
    "officer": "Cán bộ quản lý cấp trên",
    "passkey": "Khoá truy cập",
    "password": "Mật khẩu",
    "pending": "Chờ duyệt",
    "person": "Cá nhân",
    "refused": "Từ chối",
    "rename_school": "Đổi tên trường",
    "rename_unit": "Đổi tên đơn vị",
    "school": "Nhà trường",
    "seal": "Con dấu",
    "signature": "Chữ ký",
    "spare": "Mã dự phòng",
    "subject_teacher": "Giáo viên bộ môn",
    "subjects": "Giáo viên bộ môn ký duyệt",
    "totp": "Ứng dụng xác thực",
    "withdrawal": "Khóa thu hồi",
}
"""What a state or kind in details is called; what is not here is shown as it is."""
SHOWN_OF_A_LIST = 10


def words_of(act: str) -> Words:
    """An act of a newer service is shown as it is recorded."""
    return ACTS.get(act, Words(act, OVERSEEING))


def lines(details: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, str]]:
    """(what, its value) in words; before and after of the same thing come as one line."""
    before, after = details.get("before"), details.get("after")
    if isinstance(before, Mapping) and isinstance(after, Mapping) and not (_moment(before) or _moment(after)):
        for key in sorted({*before, *after}):
            if before.get(key) != after.get(key):
                yield _label(key, under), f"{value(before.get(key))} → {value(after.get(key))}"
    elif "before" in details and "after" in details:
        yield under or "Thay đổi", f"{value(before)} → {value(after)}"
    else:
        yield from ((_label(key, under), value(details[key])) for key in ("before", "after") if key in details)
    for key, held in details.items():
        if key in ("before", "after"):
            continue
        if isinstance(held, Mapping) and not _moment(held):
            yield from lines(held, _label(key, under))
        else:
            yield _label(key, under), value(held)


def value(held: object) -> str:
    if held is None or held in ("", [], ()):
        return "không có"
    if isinstance(held, bool):
        return "có" if held else "không"
    if isinstance(held, int | float):
        return vn_number(held)
    if isinstance(held, Mapping):
        moment = _moment(held)
        return vn_time(moment) if moment else ", ".join(f"{_label(str(key))}: {value(each)}" for key, each in held.items())
    if isinstance(held, list | tuple):
        shown = ", ".join(value(each) for each in held[:SHOWN_OF_A_LIST])
        more = len(held) - SHOWN_OF_A_LIST
        return f"{shown} và {vn_number(more)} mục khác" if more > 0 else shown
    return VALUES.get(str(held), str(held))


def _label(key: str, under: str = "") -> str:
    own = FIELDS.get(key, key)
    return f"{under}, {own}" if under else own


def _moment(held: Mapping[str, Any]) -> dt.datetime | None:
    """A time as the audit chain writes it."""
    text = held.get("$datetime") if len(held) == 1 else None
    return dt.datetime.fromisoformat(text) if isinstance(text, str) else None
