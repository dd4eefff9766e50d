"""What identity refuses, in the words of the guides where they have any."""

from __future__ import annotations

from services.chassis.errors import Refusal

WRONG_SIGN_IN = Refusal(
    "HB-IDN-001",
    401,
    "Đăng nhập không thành công",
    "Tên đăng nhập hoặc mật khẩu không đúng.",
    "Kiểm tra lại tên đăng nhập và mật khẩu. Nếu quên mật khẩu, liên hệ quản trị viên của nhà trường hoặc Phòng/Sở GD&ĐT.",
    "wrong user name or password",
)
LOCKED = Refusal(
    "HB-IDN-002",
    429,
    "Tài khoản tạm khoá đăng nhập",
    "Đăng nhập sai quá {limit} lần liên tiếp nên tài khoản tạm khoá {minutes} phút.",
    "Chờ hết thời gian tạm khoá rồi đăng nhập lại, hoặc liên hệ quản trị viên để được cấp lại mật khẩu.",
    "too many failures; locked for {minutes} minutes",
)
WRONG_VERSION = Refusal(
    "HB-IDN-003",
    403,
    "Chọn chưa đúng phiên bản",
    "Tài khoản không thuộc phiên bản đã chọn.",
    "Chọn lại phiên bản đúng với cấp học của nhà trường hoặc Phòng/Sở GD&ĐT rồi đăng nhập lại.",
    "the account does not belong to version {version}",
)
WRONG_OLD_PASSWORD = Refusal(
    "HB-IDN-004",
    422,
    "Mật khẩu hiện tại không đúng",
    "Mật khẩu hiện tại vừa nhập không đúng.",
    "Nhập lại mật khẩu hiện tại.",
    "the old password is wrong",
)
WEAK_PASSWORD = Refusal(
    "HB-IDN-005",
    422,
    "Mật khẩu mới chưa đạt yêu cầu",
    "{message}",
    "Chọn mật khẩu khác, nên dùng một cụm từ dài, dễ nhớ với mình nhưng khó đoán với người khác.",
    "the new password is refused: {rule}",
)
WRONG_FORM_TOKEN = Refusal(
    "HB-IDN-006",
    403,
    "Biểu mẫu đã hết hiệu lực",
    "Biểu mẫu được mở từ một phiên làm việc khác.",
    "Tải lại trang rồi thực hiện lại.",
    "the form's token does not belong to the session",
)
UNKNOWN_UNIT = Refusal(
    "HB-IDN-010",
    404,
    "Không tìm thấy đơn vị quản lý",
    "Chưa có đơn vị quản lý mang mã {unit}.",
    "Kiểm tra lại mã đơn vị hoặc khai báo đơn vị trước.",
    "no oversight unit {unit}",
)
UNKNOWN_SCHOOL = Refusal(
    "HB-IDN-011",
    404,
    "Không tìm thấy trường",
    "Chưa có trường mang mã {school}.",
    "Kiểm tra lại mã trường hoặc khai báo trường trước.",
    "no school {school}",
)
CODE_TAKEN = Refusal(
    "HB-IDN-012",
    409,
    "Mã đã được sử dụng",
    "Mã {code} đã thuộc về một đơn vị, trường hoặc người khác.",
    "Kiểm tra lại mã.",
    "code {code} belongs to something else already",
)
PARENT_FIXED = Refusal(
    "HB-IDN-013",
    409,
    "Không đổi được đơn vị cấp trên",
    "Đơn vị {unit} đã có đơn vị cấp trên khác.",
    "Giữ nguyên đơn vị cấp trên, hoặc khai báo đơn vị mới với mã khác.",
    "unit {unit} has another parent already",
)
UNKNOWN_PERSON = Refusal(
    "HB-IDN-014",
    404,
    "Không tìm thấy nhân sự",
    "Không có nhân sự mang mã {person} trong trường.",
    "Kiểm tra lại mã nhân sự, hoặc nhập lại dữ liệu cán bộ của trường.",
    "no such person at the school: {person}",
)
OWN_PASSWORD = Refusal(
    "HB-IDN-015",
    403,
    "Không tự cấp lại mật khẩu",
    "Quản trị viên không tự cấp lại mật khẩu của chính mình.",
    "Dùng chức năng Đổi mật khẩu, hoặc liên hệ Phòng/Sở GD&ĐT.",
    "nobody resets the own password this way",
)
NO_YEAR = Refusal(
    "HB-IDN-020",
    409,
    "Chưa có năm học",
    "Nhà trường chưa nhập dữ liệu cán bộ của năm học nào.",
    "Quản trị viên nhập dữ liệu cán bộ của năm học trước khi đăng ký.",
    "the school has no open school year",
)
NO_PERSONAL_ID = Refusal(
    "HB-IDN-021",
    409,
    "Thiếu số định danh cá nhân",
    "Hồ sơ nhân sự chưa có số định danh cá nhân nên không đối chiếu được với chứng thư số.",
    "Đề nghị quản trị viên bổ sung số định danh cá nhân trong hồ sơ nhân sự.",
    "the person's record has no personal id",
)
UNKNOWN_PROVIDER = Refusal(
    "HB-IDN-022",
    404,
    "Không tìm thấy nhà phát hành",
    "Hệ thống chưa hỗ trợ nhà phát hành {provider}.",
    "Chọn nhà phát hành trong danh sách.",
    "no provider {provider}",
)
WRONG_PROVIDER_LOGIN = Refusal(
    "HB-IDN-023",
    422,
    "Đăng ký không thành công",
    "Thông tin thẻ không tồn tại hoặc không đúng",
    "Kiểm tra lại tên đăng nhập và mật khẩu đã được cung cấp bởi nhà cung cấp chữ ký số.",
    "the provider refused the sign-in",
)
PROVIDER_UNAVAILABLE = Refusal(
    "HB-IDN-024",
    503,
    "Nhà cung cấp chữ ký số chưa phản hồi",
    "Hệ thống của nhà cung cấp chữ ký số tạm thời không phản hồi.",
    "Chờ ít phút rồi đăng ký lại; chưa có thông tin nào được ghi nhận.",
    "the provider does not answer",
)
NO_CREDENTIAL = Refusal(
    "HB-IDN-025",
    422,
    "Không có chứng thư số phù hợp",
    "Tài khoản của nhà cung cấp không có chứng thư số đã chọn.",
    "Chọn lại chứng thư số, hoặc liên hệ nhà cung cấp chữ ký số.",
    "the provider account has no such credential",
)
CHOOSE_CREDENTIAL = Refusal(
    "HB-IDN-026",
    409,
    "Cần chọn chứng thư số",
    "Tài khoản của nhà cung cấp có {count} chứng thư số dùng được.",
    "Chọn một chứng thư số rồi đăng ký.",
    "{count} credentials are usable; name one",
)
UNFIT_CERTIFICATE = Refusal(
    "HB-IDN-027",
    422,
    "Chứng thư số không đủ điều kiện",
    "{message}",
    "{advice}",
    "the certificate is unfit: {problems}",
)
REQUEST_WAITING = Refusal(
    "HB-IDN-028",
    409,
    "Đang có đăng ký chờ duyệt",
    "Đã có một đăng ký khác đang chờ duyệt.",
    "Chờ kết quả duyệt, hoặc đề nghị người duyệt từ chối đăng ký đó rồi đăng ký lại.",
    "another registration waits for its decision",
)
REASON_NEEDED = Refusal(
    "HB-IDN-029",
    422,
    "Cần nêu lý do",
    "Chưa nêu lý do.",
    "Nhập lý do rồi thực hiện lại.",
    "a reason is needed",
)
REGISTERED_ELSEWHERE = Refusal(
    "HB-IDN-030",
    409,
    "Chứng thư số đã được đăng ký",
    "Chứng thư số này đã được một đơn vị khác đăng ký.",
    "Dùng chứng thư số của đơn vị mình, hoặc liên hệ Phòng/Sở GD&ĐT.",
    "the certificate is registered by another school",
)
OWN_ACCOUNT = Refusal(
    "HB-IDN-031",
    403,
    "Không tự duyệt cho chính mình",
    "Không ai được tự duyệt tài khoản ký, tự phân quyền hoặc tự duyệt yêu cầu của chính mình.",
    "Đề nghị một quản trị viên khác hoặc cán bộ quản lý thực hiện.",
    "nobody decides about the own account",
)
NOTHING_WAITS = Refusal(
    "HB-IDN-032",
    409,
    "Không có đăng ký chờ duyệt",
    "Nhân sự {person} không có tài khoản ký đang chờ duyệt.",
    "Tải lại danh sách để xem trạng thái mới nhất.",
    "nothing of {person} waits for approval",
)
OVERSIGHT_DECIDES = Refusal(
    "HB-IDN-033",
    403,
    "Do Phòng/Sở GD&ĐT duyệt",
    "Tài khoản ký của cán bộ quản lý do Phòng/Sở GD&ĐT duyệt.",
    "Chờ Phòng/Sở GD&ĐT duyệt tại mục 6.1. Duyệt chứng thư số đơn vị.",
    "managers' accounts are decided by the oversight unit",
)
UNKNOWN_REQUEST = Refusal(
    "HB-IDN-034",
    404,
    "Không tìm thấy yêu cầu đăng ký",
    "Không có yêu cầu đăng ký này.",
    "Tải lại danh sách để xem trạng thái mới nhất.",
    "no such request",
)
REVOKED_CERTIFICATE = Refusal(
    "HB-IDN-035",
    422,
    "Chứng thư số đã bị thu hồi",
    "{message}",
    "Liên hệ nhà cung cấp để được cấp chứng thư số khác rồi đăng ký lại.",
    "the certificate or one of its issuers is revoked",
)
REVOCATION_UNKNOWN = Refusal(
    "HB-IDN-036",
    503,
    "Chưa kiểm tra được chứng thư số",
    "Chưa kiểm tra được chứng thư số có bị thu hồi hay không vì hệ thống của đơn vị cấp chứng thư số tạm thời không phản hồi.",
    "Chờ ít phút rồi thử lại; chưa có thay đổi nào được ghi nhận.",
    "neither the OCSP responder nor the revocation list can be had",
)
UNPROVABLE_CERTIFICATE = Refusal(
    "HB-IDN-037",
    422,
    "Không kiểm tra được chứng thư số",
    "{message}",
    "Liên hệ nhà cung cấp chứng thư số để được cấp chứng thư số khác.",
    "the certificate can never be shown to be good: {problem}",
)
UNKNOWN_SESSION = Refusal(
    "HB-IDN-040",
    404,
    "Không tìm thấy thiết bị đăng nhập",
    "Thiết bị này không còn đăng nhập tài khoản.",
    "Tải lại danh sách thiết bị đăng nhập để xem trạng thái mới nhất.",
    "no such session of the own account",
)

CATALOGUE = {value.code: value for value in list(globals().values()) if isinstance(value, Refusal)}
"""By code."""
