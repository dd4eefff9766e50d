"""What can be found wrong with a stored document, and the words for it. Plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

File = Literal["content", "xml", "pdf"]
FILES: Final[Mapping[File, str]] = {"content": "Bản XML trước khi ký", "xml": "Bản XML", "pdf": "Bản PDF"}


class Finding(BaseModel):
    """`place`: the signature that it is about, by its Id in the XML or its field in the PDF; "" for the file as a whole."""

    model_config = ConfigDict(frozen=True)

    code: str
    file: File
    place: str = ""

    @property
    def text(self) -> str:
        """For people."""
        about = f", chữ ký {self.place}" if self.place else ""
        return f"{FILES[self.file]}{about}: {WORDS[self.code]}"


WORDS: Final[Mapping[str, str]] = {
    "missing": "tệp không còn trong kho lưu trữ.",
    "digest": "nội dung không đúng với mã SHA-256 đã ghi nhận khi ký.",
    "unreadable": "không đọc được tệp, tệp đã hỏng hoặc không đúng loại.",
    "other_document": "là tệp của một học bạ khác.",
    "content": "nội dung không phải là nội dung đã tạo để ký.",
    "added": "có phần được thêm vào sau khi ký.",
    "signature_missing": "thiếu chữ ký đã ghi nhận.",
    "signature_unknown": "có chữ ký không được ghi nhận.",
    "order": "thứ tự chữ ký không đúng với các bước ký.",
    "step_skipped": "thiếu chữ ký của người phải ký ở bước trước.",
    "signature_unreadable": "không đọc được chữ ký.",
    "changed": "nội dung đã bị thay đổi sau khi ký.",
    "wrong_value": "giá trị chữ ký không đúng với chứng thư số.",
    "weak_algorithm": "chữ ký dùng thuật toán không được chấp nhận.",
    "not_covered": "chữ ký không bảo vệ nội dung hoặc các chữ ký trước nó.",
    "wrong_signer": "chứng thư số trong chữ ký không phải của người ký đã ghi nhận.",
    "not_approved": "chứng thư số không được duyệt để ký tại thời điểm ký.",
    "untrusted": "chứng thư số không dẫn đến tổ chức chứng thực được tin cậy.",
    "revoked": "chứng thư số đã bị thu hồi trước thời điểm ký.",
    "timestamp_missing": "thiếu dấu thời gian lưu trữ.",
    "timestamp_bad": "dấu thời gian bị hỏng hoặc không do tổ chức được tin cậy cấp.",
    "timestamp_outlived": "chứng thư số của dấu thời gian cuối cùng đã hết hạn.",
}


def words(findings: Iterable[Finding]) -> str:
    """All of them in one line."""
    return " ".join(finding.text for finding in findings)
