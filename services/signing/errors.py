"""What signing refuses, for a whole batch or for one item of it."""

from __future__ import annotations

from services.chassis.errors import Refusal

NO_ACCOUNT = Refusal(
    "HB-SIG-001",
    409,
    "Chưa có tài khoản ký được duyệt",
    "Tài khoản ký của thầy/cô chưa đăng ký hoặc chưa được duyệt.",
    "Đăng ký tại mục 1.2 Giáo viên đăng ký tài khoản ký và chờ duyệt tại mục 1.3.",
    "no approved signing account",
)
NO_SCHOOL_CERTIFICATE = Refusal(
    "HB-SIG-002",
    409,
    "Chưa có chứng thư số nhà trường",
    "Chứng thư số nhà trường chưa được đăng ký hoặc chưa được duyệt.",
    "Đăng ký tại mục 1.1 Quản lý chứng thư số nhà trường và chờ cấp trên duyệt.",
    "no approved school certificate",
)
CERTIFICATE_UNFIT = Refusal(
    "HB-SIG-003",
    409,
    "Chứng thư số không dùng để ký được",
    "{reason}",
    "Đăng ký lại chứng thư số còn hiệu lực rồi ký lại.",
    "the certificate is not fit to sign: {problem}",
)
WRONG_LOGIN = Refusal(
    "HB-SIG-004",
    422,
    "Không đăng nhập được nhà cung cấp chữ ký số",
    "Thông tin thẻ không tồn tại hoặc không đúng.",
    "Kiểm tra lại tên đăng nhập và mật khẩu do nhà cung cấp chữ ký số cấp.",
    "the provider refused the login",
)
PROVIDER_AWAY = Refusal(
    "HB-SIG-005",
    503,
    "Nhà cung cấp chữ ký số không phản hồi",
    "Dịch vụ ký số từ xa tạm thời không kết nối được.",
    "Chờ ít phút rồi ký lại; học bạ vẫn nằm ở mục Chờ ký.",
    "the provider is unavailable",
)
NOT_WAITING = Refusal(
    "HB-SIG-006",
    409,
    "Học bạ không còn chờ thầy/cô ký",
    "Học bạ này đã được ký, đã chuyển bước, hoặc không thuộc phần ký của thầy/cô.",
    "Tải lại danh sách Chờ ký.",
    "the transcript does not wait for this signer",
)
BEING_SIGNED = Refusal(
    "HB-SIG-007",
    409,
    "Học bạ đang được ký trong một lượt khác",
    "Học bạ này đang nằm trong một lượt ký chưa kết thúc.",
    "Chờ lượt ký đó kết thúc, hoặc hủy lượt ký đó.",
    "the transcript is part of a running batch",
)
NOTHING_TO_SIGN = Refusal(
    "HB-SIG-008",
    422,
    "Không có học bạ nào để ký",
    "Phần đã chọn không có học bạ nào đang chờ thầy/cô ký.",
    "Chọn học bạ ở tab Chờ ký rồi thực hiện lại.",
    "nothing of the selection waits for this signer",
)
REJECTED = Refusal(
    "HB-SIG-009",
    409,
    "Lượt ký bị từ chối",
    "Người ký đã từ chối xác nhận trên ứng dụng ký số.",
    "Nếu từ chối do nhầm, chọn lại học bạ và ký lại.",
    "the signer refused on the phone",
)
EXPIRED = Refusal(
    "HB-SIG-010",
    409,
    "Quá thời gian xác nhận",
    "Chưa có xác nhận trên ứng dụng ký số trong thời gian quy định.",
    "Chọn lại học bạ, ký lại và xác nhận trên điện thoại.",
    "not confirmed in time",
)
WRONG_VALUE = Refusal(
    "HB-SIG-011",
    502,
    "Chữ ký trả về không đúng",
    "Giá trị chữ ký do nhà cung cấp trả về không khớp với học bạ hoặc chứng thư số; hệ thống không dùng chữ ký này.",
    "Ký lại; nếu lặp lại, báo cho nhà cung cấp chữ ký số và bộ phận hỗ trợ.",
    "the returned signature does not verify",
)
PROVIDER_REFUSED = Refusal(
    "HB-SIG-012",
    409,
    "Nhà cung cấp chữ ký số từ chối",
    "Nhà cung cấp chữ ký số từ chối thực hiện: {meaning}.",
    "{advice}",
    "the provider refused: {problem}",
)
CANCELLED = Refusal(
    "HB-SIG-013",
    409,
    "Lượt ký đã bị hủy",
    "Lượt ký đã được hủy trước khi học bạ này được ký.",
    "Học bạ vẫn ở mục Chờ ký; chọn lại khi muốn ký.",
    "the batch was cancelled",
)
TOO_MANY = Refusal(
    "HB-SIG-015",
    409,
    "Vượt quá số lượng của một lần xác nhận",
    "Nhà cung cấp chữ ký số chỉ cho ký {room} học bạ trong một lần xác nhận; học bạ này chưa nằm trong lượt ký.",
    "Ký xong lượt này rồi chọn các học bạ còn lại để ký tiếp.",
    "one authorisation covers {room} transcripts",
)
DAMAGED = Refusal(
    "HB-SIG-014",
    500,
    "Tệp học bạ bị sai lệch",
    "Nội dung tệp lưu trữ không đúng với bản đã ghi nhận; hệ thống dừng ký học bạ này.",
    "Báo ngay cho bộ phận hỗ trợ kèm mã học bạ.",
    "the stored document is damaged or cannot be signed",
)
UNPROVABLE = Refusal(
    "HB-SIG-016",
    409,
    "Không đóng được dấu thời gian",
    "Học bạ đã đủ chữ ký nhưng một chứng thư số không còn chứng minh được: {reason}",
    "Hủy học bạ này và tạo lại phiên bản mới với chứng thư số còn hiệu lực.",
    "validation data of a signer does not prove the certificate: {problem}",
)
RETURNED = Refusal(
    "HB-SIG-018",
    409,
    "Học bạ đã được trả lại",
    "Học bạ này đã được trả lại và đang chờ quản trị viên duyệt hủy hoặc từ chối hủy.",
    "Chờ kết quả xử lý; nếu bị từ chối hủy, học bạ trở lại mục Chờ ký.",
    "the transcript was returned",
)
DROPPED = Refusal(
    "HB-SIG-019",
    409,
    "Học bạ đã hủy",
    "Học bạ này đã bị hủy nên không ký hoặc trả lại được nữa.",
    "Ký phiên bản mới sau khi học bạ được tạo lại.",
    "the transcript is cancelled",
)
REASON_NEEDED = Refusal(
    "HB-SIG-020",
    422,
    "Chưa ghi lý do",
    "Lý do trả lại phải có từ {least} đến {most} ký tự.",
    "Ghi rõ nội dung sai trên học bạ rồi thực hiện lại.",
    "a reason of {least} to {most} characters is needed",
)
NOTHING_TO_RETURN = Refusal(
    "HB-SIG-021",
    422,
    "Không có học bạ nào để trả lại",
    "Phần đã chọn không có học bạ nào đang chờ thầy/cô ký.",
    "Chọn học bạ ở tab Chờ ký rồi thực hiện lại.",
    "nothing of the selection can be returned",
)
YEAR_LOCKED = Refusal(
    "HB-SIG-030",
    409,
    "Học bạ của năm học đã khóa",
    "Hiệu trưởng đã khóa học bạ của năm học này nên không ký hoặc trả lại được nữa.",
    "Nếu thật sự cần thay đổi, đề nghị Hiệu trưởng mở khóa học bạ.",
    "the school year has its final lock",
)
NOT_SIGNED = Refusal(
    "HB-SIG-040",
    409,
    "Nhà cung cấp không ký học bạ này",
    "Nhà cung cấp chữ ký số không trả chữ ký cho học bạ này, hoặc người ký đã bỏ học bạ này khi xác nhận.",
    "Học bạ vẫn ở mục Chờ ký; chọn lại khi muốn ký.",
    "the provider gave no value for the transcript",
)
SECRET_NEEDED = Refusal(
    "HB-SIG-041",
    422,
    "Chưa nhập mã xác nhận",
    "Tài khoản ký này yêu cầu nhập {secrets} cho từng đợt ký.",
    "Nhập đủ mã rồi xác nhận lại; mã chỉ được chuyển đến nhà cung cấp chữ ký số.",
    "the credential wants a secret for each authorisation",
)
HINTS_TOO_OFTEN = Refusal(
    "HB-SIG-042",
    429,
    "Quá nhiều thông báo",
    "Hệ thống nhận quá nhiều thông báo từ các nhà cung cấp chữ ký số trong thời gian ngắn.",
    "Không cần gửi lại: hệ thống tự hỏi kết quả của từng lượt ký.",
    "too many provider callbacks",
)
HINT_TOO_LARGE = Refusal(
    "HB-SIG-043",
    413,
    "Thông báo quá lớn",
    "Thông báo của nhà cung cấp chữ ký số lớn hơn mức hệ thống nhận.",
    "Không cần gửi lại: hệ thống tự hỏi kết quả của từng lượt ký.",
    "the provider callback is too large",
)
STALE = Refusal(
    "HB-SIG-070",
    409,
    "Học bạ đã thay đổi trong khi ký",
    "Học bạ đã được hủy, trả lại hoặc thay đổi sau khi lượt ký bắt đầu; chữ ký của lượt này không được dùng.",
    "Tải lại danh sách Chờ ký; nếu học bạ vẫn chờ ký thì ký lại.",
    "the document changed while it was being signed",
)
QUEUED_TOO_LONG = Refusal(
    "HB-SIG-071",
    503,
    "Đợt ký chờ quá lâu",
    "Hệ thống đang quá tải nên đợt ký chưa được thực hiện trong thời gian quy định.",
    "Học bạ vẫn ở mục Chờ ký; ký lại sau ít phút.",
    "the batch waited too long for its turn",
)
SIGNER_REVOKED = Refusal(
    "HB-SIG-072",
    409,
    "Chứng thư số không được dùng để ký",
    "Đơn vị cấp chứng thư số trả lời: {reason}",
    "Đăng ký chứng thư số còn hiệu lực rồi ký lại.",
    "the issuer says that the certificate must not be used: {problem}",
)
ASKED_OR_NOT = Refusal(
    "HB-SIG-073",
    503,
    "Không rõ yêu cầu ký đã gửi đến chưa",
    "Hệ thống bị gián đoạn đúng lúc gửi yêu cầu ký, nên không rõ điện thoại đã nhận được yêu cầu hay chưa.",
    "Nếu điện thoại đang hỏi thì từ chối yêu cầu đó, sau đó ký lại.",
    "whether the question reached the phone is not known, and the protocol cannot tell",
)
STORED_DIFFERS = Refusal(
    "HB-SIG-090",
    409,
    "Tệp lưu trữ sai khác",
    "Tệp lưu trữ của học bạ này không đúng với tệp đã ký: {reason}",
    "Không dùng tệp này; báo ngay cho bộ phận hỗ trợ kèm mã học bạ để khôi phục đúng tệp đã ký.",
    "the stored file is not what was signed",
)
NO_REPORT = Refusal(
    "HB-SIG-091",
    404,
    "Chưa có báo cáo chữ ký",
    "Học bạ này chưa có tệp đã ký để lập báo cáo.",
    "Xem lại sau khi các giáo viên bộ môn đã ký xong.",
    "no signed file yet",
)
NO_CERTIFICATES = Refusal(
    "HB-SIG-092",
    404,
    "Không có chứng thư số để tải",
    "Phần đã chọn chưa có học bạ nào được ký, hoặc không thuộc phần thầy/cô được xem.",
    "Chọn lớp, năm học khác hoặc chờ các bước ký hoàn thành.",
    "no signed document in the selection",
)
WRONG_SECRET = Refusal(
    "HB-SIG-097",
    422,
    "Mã PIN hoặc OTP không đúng",
    "Nhà cung cấp chữ ký số không chấp nhận mã vừa nhập.",
    "Nhập lại mã PIN, hoặc gửi lại và nhập mã OTP mới; nhập sai nhiều lần tài khoản ký có thể bị khóa.",
    "the provider refused the PIN or one-time password",
)
NO_LONGER_WAITS = Refusal(
    "HB-SIG-098",
    409,
    "Đợt ký không chờ xác nhận này",
    "Đợt ký đã được xác nhận, đã dừng hoặc hết thời gian chờ; hoặc trang xác nhận đã được dùng.",
    "Mở lại đợt ký trong “Các đợt ký của tôi” để xem kết quả hoặc xác nhận lại.",
    "the batch does not wait for this confirmation",
)
NOT_CONFIRMED = Refusal(
    "HB-SIG-099",
    409,
    "Quá thời gian xác nhận",
    "Đợt ký chưa được xác nhận bằng mã PIN, OTP hoặc tại trang của nhà cung cấp trong thời gian quy định.",
    "Học bạ vẫn ở mục Chờ ký; ký lại và xác nhận ngay trên trang của đợt ký.",
    "not confirmed in time on the page",
)
