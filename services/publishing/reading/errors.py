"""What the read API refuses."""

from __future__ import annotations

from services.chassis.errors import Refusal

NOT_KNOWN = Refusal(
    "HB-PUB-100",
    401,
    "Yêu cầu không được xác thực",
    "Yêu cầu không có chữ ký còn hạn của một hệ thống đã đăng ký khai thác.",
    "Ký yêu cầu bằng khóa đã đăng ký, ghi đúng iss, aud, iat, exp, jti và gửi ngay sau khi ký.",
    "the request is not signed by a registered consumer, or not for us, or not now",
)
REPLAYED = Refusal(
    "HB-PUB-101",
    409,
    "Yêu cầu đã được dùng",
    "Mã jti của yêu cầu này đã được dùng; mỗi yêu cầu chỉ dùng được một lần.",
    "Tạo và ký yêu cầu mới với một mã jti mới.",
    "the request was used before",
)
TOO_FAST = Refusal(
    "HB-PUB-102",
    429,
    "Vượt quá số yêu cầu cho phép",
    "Hệ thống khai thác đã gửi quá {most} yêu cầu trong một phút.",
    "Chờ số giây ghi trong Retry-After rồi gửi lại.",
    "more than {most} requests within a minute",
)
PURPOSE_NOT_GRANTED = Refusal(
    "HB-PUB-103",
    403,
    "Mục đích không được phép",
    "Hệ thống khai thác không được đăng ký cho mục đích nêu trong yêu cầu.",
    "Dùng một mã mục đích đã đăng ký, hoặc đăng ký bổ sung mục đích.",
    "the purpose is not granted to this consumer",
)
CONSENT_NEEDED = Refusal(
    "HB-PUB-104",
    403,
    "Chưa có sự đồng ý",
    "Yêu cầu không kèm mã tham chiếu hợp lệ về sự đồng ý của người học hoặc người đại diện.",
    "Ghi mã tham chiếu 8 đến 80 ký tự của sự đồng ý mà hệ thống khai thác đang lưu giữ.",
    "a consent reference of 8 to 80 characters is needed",
)
READING_OVER = Refusal(
    "HB-PUB-105",
    404,
    "Lượt khai thác không còn dùng được",
    "Tệp không thuộc lượt khai thác này, lượt đã hết hạn, hoặc học bạ không còn hiệu lực.",
    "Gửi lại yêu cầu danh sách học bạ rồi tải tệp theo lượt mới.",
    "no file of a reading that is still good",
)
