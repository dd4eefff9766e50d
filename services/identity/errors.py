"""What identity refuses, in the words of the guides where they have any."""

from __future__ import annotations

from services.chassis.errors import Refusal

WRONG_SIGN_IN = Refusal(
    "HB-IDN-001",
    401,
    "Đăng nhập không thành công",
    "Tên đăng nhập hoặc mật khẩu không đúng.",
    'Kiểm tra lại tên đăng nhập và mật khẩu. Nếu quên mật khẩu, chọn "Quên mật khẩu?" ở trang đăng nhập.',
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
    "Giữ nguyên đơn vị cấp trên, hoặc dùng chức năng chuyển đơn vị tại mục Đơn vị và trường học.",
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
UNKNOWN_PROOF = Refusal(
    "HB-IDN-080",
    404,
    "Không tìm thấy lượt đăng ký",
    "Không có lượt đăng ký này hoặc đã quá lâu nên không còn được lưu.",
    "Quay lại trang đăng ký để xem trạng thái mới nhất, rồi đăng ký lại nếu cần.",
    "no such proof of the own",
)
PROOF_REJECTED = Refusal(
    "HB-IDN-081",
    422,
    "Yêu cầu xác nhận bị từ chối",
    "Yêu cầu xác nhận ký số đã bị từ chối trên điện thoại hoặc trên công cụ ký.",
    "Nếu đúng là thầy/cô đang đăng ký, đăng ký lại và chọn đồng ý khi được hỏi.",
    "the person said no to the challenge",
)
PROOF_EXPIRED = Refusal(
    "HB-IDN-082",
    409,
    "Quá thời hạn xác nhận",
    "Chưa có xác nhận ký số trong thời hạn cho phép, hoặc lượt đăng ký đã được thay bằng lượt khác.",
    "Đăng ký lại và xác nhận ngay khi được hỏi.",
    "the challenge was not answered in time",
)
CREDENTIAL_LOCKED = Refusal(
    "HB-IDN-083",
    422,
    "Chứng thư số đang bị khoá",
    "Nhà cung cấp chữ ký số cho biết tài khoản hoặc chứng thư số đang bị khoá nên không ký được.",
    "Liên hệ nhà cung cấp chữ ký số để mở khoá rồi đăng ký lại.",
    "the provider says that the credential is locked",
)
WRONG_PROOF = Refusal(
    "HB-IDN-084",
    422,
    "Không chứng minh được đang giữ khoá ký",
    "Chữ ký nhận được không do khoá của chứng thư số đã chọn tạo ra.",
    "Đăng ký lại; nếu vẫn gặp lỗi, liên hệ nhà cung cấp chữ ký số.",
    "the signature of the challenge does not verify with the certificate",
)
CANNOT_SIGN = Refusal(
    "HB-IDN-085",
    422,
    "Tài khoản ký số không ký được",
    "Nhà cung cấp chữ ký số từ chối ký bằng chứng thư số đã chọn.",
    "Kiểm tra tài khoản tại nhà cung cấp chữ ký số rồi đăng ký lại.",
    "the provider refused to sign the challenge: {reason}",
)
TOKEN_FAILED = Refusal(
    "HB-IDN-086",
    422,
    "Thiết bị ký không thực hiện được",
    "{message}",
    "{advice}",
    "the signing program answered with a failure: {failure}",
)
NO_TOKEN_CERTIFICATE = Refusal(
    "HB-IDN-087",
    422,
    "Không có chứng thư số phù hợp",
    "Trên thiết bị ký không có chứng thư số đã chọn.",
    "Kiểm tra thiết bị ký đang cắm rồi đăng ký lại.",
    "no such certificate on the token",
)
NOTHING_LAST_YEAR = Refusal(
    "HB-IDN-088",
    409,
    "Không có dữ liệu năm học trước",
    "Năm học trước không có chứng thư số đã duyệt của {owner}.",
    "Thực hiện đăng ký mới cho năm học này.",
    "nothing approved last school year for {owner}",
)
STANDS_ALREADY = Refusal(
    "HB-IDN-089",
    409,
    "Đã có đăng ký trong năm học này",
    "Năm học này đã có đăng ký chờ duyệt hoặc đã duyệt của {owner}.",
    "Không cần lấy lại dữ liệu năm học trước.",
    "a registration of {owner} waits or is approved this school year",
)
WRONG_PAIRING_CODE = Refusal(
    "HB-IDN-070",
    422,
    "Ghép nối không thành công",
    "Mã ghép nối không đúng, đã dùng hoặc đã hết hạn.",
    "Mở trang Chương trình ký số, lấy mã mới rồi nhập lại trong vòng 5 phút.",
    "wrong, used or expired pairing code",
)
PAIRING_BUSY = Refusal(
    "HB-IDN-071",
    429,
    "Tạm dừng ghép nối",
    "Hệ thống vừa nhận quá nhiều mã ghép nối không đúng.",
    "Chờ một phút rồi ghép nối lại.",
    "too many wrong pairing codes within a minute",
)
AGENT_OFFLINE = Refusal(
    "HB-IDN-072",
    409,
    "Chương trình ký số chưa kết nối",
    "Chưa có chương trình ký số nào của thầy/cô đang kết nối với hệ thống.",
    "Mở chương trình ký số trên máy tính có cắm thiết bị ký, hoặc ghép nối tại trang Chương trình ký số, rồi thực hiện lại.",
    "no signing program of the person is connected",
)
UNKNOWN_AGENT_JOB = Refusal(
    "HB-IDN-073",
    404,
    "Không tìm thấy yêu cầu ký",
    "Không có yêu cầu này dành cho chương trình ký số.",
    "Thực hiện lại từ trang của hệ thống.",
    "no such job of this agent",
)
AGENT_JOB_OVER = Refusal(
    "HB-IDN-074",
    409,
    "Yêu cầu đã kết thúc",
    "Yêu cầu đã được trả lời hoặc đã quá thời hạn.",
    "Thực hiện lại từ trang của hệ thống nếu còn cần.",
    "the job was answered before or is over",
)
IMAGE_TOO_LARGE = Refusal(
    "HB-IDN-090",
    413,
    "Ảnh quá lớn",
    "Tệp ảnh lớn hơn 2 MB.",
    "Chụp hoặc quét lại với kích thước nhỏ hơn, hoặc giảm dung lượng ảnh, rồi chọn lại ảnh.",
    "the image file is larger than 2 MB",
)
NOT_PNG = Refusal(
    "HB-IDN-091",
    422,
    "Ảnh không đúng định dạng",
    "Hệ thống chỉ hỗ trợ upload ảnh có định dạng: .png. Tệp đã chọn là {words}, dù tên tệp có thể là .png.",
    "Lưu ảnh với định dạng .png bằng phần mềm xem ảnh, không chỉ đổi tên tệp, rồi chọn lại ảnh.",
    "the file is not a PNG image",
)
DAMAGED_IMAGE = Refusal(
    "HB-IDN-092",
    422,
    "Tệp ảnh bị hỏng",
    "Không đọc được ảnh: {words}.",
    "Lưu lại ảnh với định dạng .png rồi chọn lại ảnh.",
    "the PNG image is damaged",
)
IMAGE_DIMENSIONS = Refusal(
    "HB-IDN-093",
    422,
    "Kích thước ảnh không phù hợp",
    "Ảnh có {words} điểm ảnh; mỗi chiều phải từ 8 đến 4.000 điểm ảnh.",
    "Cắt hoặc thu nhỏ ảnh rồi chọn lại ảnh.",
    "the sides of the image must be 8 to 4000 pixels",
)
IMAGE_BOMB = Refusal(
    "HB-IDN-094",
    422,
    "Ảnh không an toàn",
    "Dữ liệu trong ảnh lớn hơn nhiều so với kích thước mà ảnh khai báo.",
    "Dùng ảnh chụp hoặc quét từ con dấu, chữ ký thật rồi chọn lại ảnh.",
    "the compressed data is larger than the image",
)
HIDDEN_CONTENT = Refusal(
    "HB-IDN-095",
    422,
    "Ảnh có nội dung lạ",
    "Trong tệp ảnh có kèm nội dung khác {words}.",
    "Mở ảnh bằng phần mềm xem ảnh, lưu lại thành ảnh .png mới rồi chọn lại ảnh.",
    "the file holds something besides the image",
)
ANIMATED_IMAGE = Refusal(
    "HB-IDN-096",
    422,
    "Không dùng ảnh động",
    "Tệp đã chọn là ảnh động gồm nhiều khung hình.",
    "Dùng ảnh .png tĩnh rồi chọn lại ảnh.",
    "animated images are refused",
)
NO_INK = Refusal(
    "HB-IDN-097",
    422,
    "Không thấy nét mực",
    "Sau khi xóa nền, ảnh không còn nét mực nào.",
    "Giảm ngưỡng xóa nền, hoặc chọn ảnh khác rõ nét hơn.",
    "nothing is left after the background is removed",
)
BAD_CROP = Refusal(
    "HB-IDN-098",
    422,
    "Phần cắt không đúng",
    "Phần cắt đi phải để lại ít nhất 8 điểm ảnh mỗi chiều; ảnh gốc có {words} điểm ảnh.",
    "Nhập lại số điểm ảnh cắt đi ở bốn cạnh, hoặc chọn tự động cắt sát nét mực.",
    "the crop leaves nothing of the image",
)
NO_IMAGE = Refusal(
    "HB-IDN-099",
    409,
    "Chưa có ảnh",
    "Chưa có ảnh được chọn hoặc được lưu để thực hiện thao tác này.",
    "Chọn ảnh .png rồi kích nút Lưu.",
    "there is no such image",
)
WRONG_CODE = Refusal(
    "HB-IDN-041",
    422,
    "Mã xác thực không đúng",
    "Mã xác thực không đúng, đã hết hạn hoặc đã được sử dụng.",
    "Chờ ứng dụng xác thực hiện mã mới rồi nhập lại, hoặc dùng một mã dự phòng.",
    "the code is wrong, over or used",
)
NOT_BEGUN = Refusal(
    "HB-IDN-042",
    409,
    "Đã quá thời gian thực hiện",
    "Bước xác thực chưa được bắt đầu hoặc đã bắt đầu quá lâu.",
    "Thực hiện lại từ đầu.",
    "nothing of this kind was begun in time",
)
WRONG_PASSKEY = Refusal(
    "HB-IDN-043",
    422,
    "Khoá truy cập không dùng được",
    "Câu trả lời của khoá truy cập không hợp lệ.",
    "Thử lại với đúng khoá truy cập của tài khoản này, hoặc dùng cách xác thực khác.",
    "the passkey's answer is not good",
)
LAST_FACTOR = Refusal(
    "HB-IDN-044",
    409,
    "Không xoá được cách xác thực cuối cùng",
    "Vai trò của thầy/cô bắt buộc dùng xác thực hai lớp.",
    "Thêm một cách xác thực khác trước, rồi xoá cách này.",
    "the last second factor of somebody who must have one",
)
UNKNOWN_FACTOR = Refusal(
    "HB-IDN-045",
    404,
    "Không tìm thấy cách xác thực",
    "Tài khoản không có cách xác thực này.",
    "Tải lại trang Xác thực hai lớp để xem danh sách mới nhất.",
    "no such factor of the own account",
)
TOO_MANY_FACTORS = Refusal(
    "HB-IDN-046",
    409,
    "Đã đủ số cách xác thực",
    "Tài khoản đã có {limit} cách xác thực.",
    "Xoá cách không dùng nữa rồi thêm cách mới.",
    "the account has {limit} factors already",
)
WRONG_CONFIRMATION = Refusal(
    "HB-IDN-047",
    422,
    "Mật khẩu không đúng",
    "Mật khẩu vừa nhập không đúng.",
    "Nhập lại mật khẩu của tài khoản đang đăng nhập.",
    "the password is wrong",
)
LOCKED_EVERYWHERE = Refusal(
    "HB-IDN-048",
    429,
    "Tài khoản tạm khoá đăng nhập",
    "Tài khoản đã có {limit} lần nhập sai trong một giờ.",
    "Chờ một giờ rồi đăng nhập lại, hoặc liên hệ quản trị viên để được cấp lại mật khẩu.",
    "{limit} failures within an hour",
)
FACTOR_ASKED = Refusal(
    "HB-IDN-049",
    422,
    "Cần xác nhận bằng xác thực hai lớp",
    "Tài khoản đã bật xác thực hai lớp nên mật khẩu chưa đủ để xác nhận.",
    "Nhập mã của ứng dụng xác thực, mã dự phòng, hoặc dùng khoá truy cập.",
    "the account has a second factor, which is asked for",
)
WRONG_PERIOD = Refusal(
    "HB-IDN-110",
    422,
    "Khoảng thời gian chưa đúng",
    "Ngày bắt đầu hoặc ngày kết thúc không phải là ngày, hoặc ngày kết thúc trước ngày bắt đầu.",
    "Chọn lại từ ngày, đến ngày.",
    "the period is not two days in order",
)
WRONG_CURSOR = Refusal(
    "HB-IDN-111",
    422,
    "Trang cần xem không còn đúng",
    "Địa chỉ của trang nhật ký không đúng.",
    "Mở lại trang nhật ký từ đầu.",
    "before is no place in the list",
)
NO_FINDING = Refusal(
    "HB-IDN-112",
    404,
    "Không có hoạt động cần xem",
    "Các hoạt động đã chọn không còn trong danh sách hoặc đã có người xem.",
    "Tải lại trang Hoạt động của trường để xem trạng thái mới nhất.",
    "none of them is an unseen finding",
)
PERIOD_TOO_LARGE = Refusal(
    "HB-IDN-113",
    422,
    "Khoảng thời gian quá dài",
    "Khoảng thời gian đã chọn có hơn {most} mục nhật ký.",
    "Chọn khoảng thời gian ngắn hơn và kết xuất nhiều lần.",
    "more than {most} entries in the period",
)
TOO_MANY_PROBLEMS = Refusal(
    "HB-IDN-114",
    429,
    "Đã gửi nhiều báo lỗi",
    "Mỗi người gửi được {most} báo lỗi trong 24 giờ.",
    "Bổ sung nội dung khi quản trị viên liên hệ, hoặc gửi tiếp vào hôm sau.",
    "more than {most} reports within a day",
)
UNKNOWN_PROBLEM = Refusal(
    "HB-IDN-115",
    404,
    "Không tìm thấy báo lỗi",
    "Không có báo lỗi này.",
    "Tải lại danh sách báo lỗi để xem trạng thái mới nhất.",
    "no such problem report",
)
ANSWER_NEEDED = Refusal(
    "HB-IDN-116",
    422,
    "Cần có nội dung trả lời",
    "Chưa nhập nội dung trả lời cho báo lỗi đã xong.",
    "Nhập nội dung trả lời rồi thực hiện lại.",
    "a report is closed with an answer",
)

CATALOGUE = {value.code: value for value in list(globals().values()) if isinstance(value, Refusal)}
"""By code."""
