"""The acts of the audit trail of records that concern one transcript, in words. An act that is not here is shown as it is recorded."""

from __future__ import annotations

ACTS = {
    "create": "Tạo học bạ",
    "confirm": "Xác nhận hoàn thành học bạ",
    "undo confirm": "Hủy xác nhận hoàn thành học bạ",
    "transcripts exported": "Xuất dữ liệu học bạ",
    "class printed": "In học bạ cả lớp",
    "return stopped": "Trả lại học bạ không ký tiếp được",
    "approve cancellation": "Duyệt hủy học bạ",
    "refuse cancellation": "Từ chối hủy học bạ",
    "cancel transcript": "Hủy học bạ",
    "copy asked for": "Ghi nhận yêu cầu cấp bản sao",
    "copy declined": "Không cấp bản sao học bạ",
    "copy issued": "Cấp bản sao, bản trích sao học bạ",
    "copy revoked": "Thu hồi bản sao học bạ",
}
MACHINES = {"records": "Hệ thống dữ liệu", "signing": "Hệ thống ký số", "publishing": "Hệ thống gửi học bạ"}
"""Who acts without being a person."""
