"""What the preview of an import says about bad input: one catalogue of codes, one way to write a finding down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["error", "warning"]
RefusalKind = Literal["missing", "invalid", "duplicate", "unknown", "unmatched", "blocked"]


class Finding(BaseModel):
    """One thing found. `row` is the row number that Excel shows; `column` the header text; `field` the canonical header."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    severity: Severity
    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str | None = None
    pupil: str | None = None
    class_code: str | None = None
    field: str | None = None
    message_vi: str
    action_vi: str


class RefusedPupil(BaseModel):
    """A pupil that the import leaves out, and one reason; a pupil with several problems has several of these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pupil: str
    class_code: str
    field: str
    kind: RefusalKind
    reason_vi: str


@dataclass(frozen=True)
class Code:
    code: str
    severity: Severity
    action_vi: str


FILE_TOO_LARGE = Code("HB-IMP-101", "error", "Chia nhỏ dữ liệu hoặc xoá hình ảnh, sheet thừa rồi tải lại tệp.")
NOT_XLSX = Code("HB-IMP-102", "error", "Mở tệp bằng Excel, chọn Lưu thành định dạng .xlsx rồi tải lại.")
ENCRYPTED = Code("HB-IMP-103", "error", "Bỏ mật khẩu của tệp rồi tải lại.")
CORRUPT = Code("HB-IMP-104", "error", "Xuất lại tệp từ CSDL ngành rồi tải lại.")
UNZIPS_TOO_LARGE = Code("HB-IMP-105", "error", "Xuất lại tệp từ CSDL ngành rồi tải lại.")
SHEET_TOO_LARGE = Code("HB-IMP-106", "error", "Xoá các dòng, cột thừa ở cuối sheet rồi tải lại.")
FILE_IGNORED = Code("HB-IMP-107", "warning", "Không cần làm gì nếu tệp này không thuộc bộ dữ liệu.")
SHEET_IGNORED = Code("HB-IMP-108", "warning", "Kiểm tra tên sheet và dòng tiêu đề nếu sheet này có dữ liệu cần nhập.")
UPLOAD_REFUSED = Code("HB-IMP-109", "error", "Chọn đúng các tệp của một trường, một năm học rồi tải lại.")

SHEET_MISSING = Code("HB-IMP-201", "error", "Bổ sung sheet còn thiếu vào tệp hồ sơ trường rồi tải lại.")
COLUMN_MISSING = Code("HB-IMP-202", "error", "Bổ sung cột còn thiếu với đúng tiêu đề rồi tải lại.")
SHEET_DOUBLED = Code("HB-IMP-203", "error", "Chỉ giữ lại một sheet rồi tải lại.")
COLUMN_DOUBLED = Code("HB-IMP-204", "warning", "Chỉ giữ lại một cột.")
SHEET_EMPTY = Code("HB-IMP-205", "error", "Nhập dữ liệu vào sheet rồi tải lại.")
OPTIONAL_COLUMN_MISSING = Code("HB-IMP-206", "warning", "Bổ sung cột nếu nhà trường có thông tin này.")
WRONG_LEVEL = Code("HB-IMP-208", "error", "Tải tệp kết quả đúng cấp học của trường.")
RESULTS_MISSING = Code("HB-IMP-209", "error", "Tải thêm tệp kết quả của lớp.")
NO_RULES = Code("HB-IMP-210", "error", "Kiểm tra lại năm học và khối lớp.")
SUBJECT_MISSING = Code("HB-IMP-211", "error", "Bổ sung các cột của môn học vào tệp kết quả của lớp.")

SCHOOL_FIELD = Code("HB-IMP-301", "error", "Sửa thông tin tại sheet Trường rồi tải lại.")
SCHOOL_OTHER = Code("HB-IMP-302", "error", "Chọn đúng bộ dữ liệu của trường, cấp học và năm học đang làm việc.")
SCHOOL_ROWS = Code("HB-IMP-303", "error", "Sheet Trường chỉ được có một dòng dữ liệu.")
SCHOOL_DOUBT = Code("HB-IMP-304", "warning", "Rà soát thông tin tại sheet Trường.")
SCHOOL_LEVEL = Code(
    "HB-IMP-305",
    "error",
    "Mỗi cấp học của trường liên cấp cần một mã trường riêng: đề nghị Phòng/Sở GD&ĐT khai báo trường của cấp này, "
    "rồi đăng nhập bằng tài khoản của trường đó và nhập lại.",
)
STAFF_FIELD = Code("HB-IMP-311", "error", "Sửa dòng cán bộ rồi tải lại.")
STAFF_DUPLICATE = Code("HB-IMP-312", "error", "Mỗi cán bộ chỉ được có một dòng.")
STAFF_ID = Code("HB-IMP-313", "error", "Bổ sung số định danh cá nhân (12 chữ số); cán bộ chưa có thì không ký số được.")
STAFF_ID_DUPLICATE = Code("HB-IMP-314", "error", "Sửa số định danh cá nhân bị trùng giữa các cán bộ.")
NO_ISSUER = Code("HB-IMP-315", "warning", "Phân quyền Ký phát hành cho ít nhất một nhân sự.")
CLASS_FIELD = Code("HB-IMP-321", "error", "Sửa dòng lớp học rồi tải lại.")
CLASS_DUPLICATE = Code("HB-IMP-322", "error", "Mỗi lớp chỉ được có một dòng.")
CLASS_STAFF = Code("HB-IMP-323", "error", "Bổ sung cán bộ vào sheet Cán bộ hoặc sửa mã cán bộ của lớp.")
CLASS_UNFINISHED = Code("HB-IMP-324", "warning", "Xác nhận hoàn thành tổng kết cho lớp trước khi tạo học bạ.")
ASSIGNMENT_FIELD = Code("HB-IMP-331", "error", "Sửa dòng phân công rồi tải lại.")
ASSIGNMENT_CLASS = Code("HB-IMP-332", "error", "Sửa mã lớp hoặc bổ sung lớp vào sheet Lớp.")
ASSIGNMENT_STAFF = Code("HB-IMP-333", "error", "Sửa mã cán bộ hoặc bổ sung cán bộ vào sheet Cán bộ.")
ASSIGNMENT_SUBJECT = Code("HB-IMP-334", "warning", "Kiểm tra lại môn học của khối.")

PUPIL_MISSING = Code("HB-IMP-401", "error", "Bổ sung thông tin vào hồ sơ học sinh rồi tải lại.")
PUPIL_INVALID = Code("HB-IMP-402", "error", "Sửa thông tin trong hồ sơ học sinh rồi tải lại.")
PUPIL_DUPLICATE = Code("HB-IMP-403", "error", "Mỗi học sinh chỉ được có một dòng; xoá dòng thừa rồi tải lại.")
PERSONAL_ID_DUPLICATE = Code("HB-IMP-404", "error", "Kiểm tra số định danh cá nhân của các học sinh bị trùng.")
PUPIL_CLASS = Code("HB-IMP-405", "error", "Sửa mã lớp của học sinh hoặc bổ sung lớp vào sheet Lớp.")
PERSONAL_ID_DOUBT = Code("HB-IMP-406", "warning", "Đối chiếu số định danh cá nhân với giấy tờ của học sinh.")
PERSONAL_ID_PADDED = Code("HB-IMP-407", "warning", "Định dạng cột số định danh cá nhân là văn bản (Text).")
PROFILE_INCOMPLETE = Code("HB-IMP-408", "warning", "Bổ sung thông tin trước khi tạo học bạ.")
BIRTH_DOUBT = Code("HB-IMP-409", "warning", "Kiểm tra lại ngày sinh và khối lớp của học sinh.")
PARENT_BLANK = Code("HB-IMP-410", "warning", "Bổ sung nếu có thông tin; được phép để trống.")

RESULT_INVALID = Code("HB-IMP-501", "error", "Sửa kết quả của học sinh rồi tải lại.")
RESULT_DUPLICATE = Code("HB-IMP-502", "error", "Mỗi học sinh chỉ được có một dòng kết quả.")
RESULT_WITHOUT_PUPIL = Code("HB-IMP-503", "error", "Bổ sung hồ sơ học sinh hoặc xoá dòng kết quả.")
PUPIL_WITHOUT_RESULT = Code("HB-IMP-504", "error", "Bổ sung dòng kết quả của học sinh.")
RESULT_CLASS = Code("HB-IMP-505", "error", "Thống nhất mã lớp giữa hồ sơ và kết quả.")
NAME_DIFFERS = Code("HB-IMP-506", "warning", "Đối chiếu họ tên; học bạ dùng họ tên trong hồ sơ.")
BORN_DIFFERS = Code("HB-IMP-507", "warning", "Đối chiếu ngày sinh; học bạ dùng ngày sinh trong hồ sơ.")
RESULT_INCOMPLETE = Code("HB-IMP-508", "warning", "Bổ sung kết quả trước khi tạo học bạ.")
CONTRADICTION = Code("HB-IMP-509", "warning", "Sửa kết quả cho đúng quy định trước khi tạo học bạ.")
MARK_ZERO = Code("HB-IMP-510", "warning", "Kiểm tra lại điểm 0.")
REMARK = Code("HB-IMP-511", "warning", "Kiểm tra lại; không bắt buộc sửa.")


@dataclass(frozen=True)
class Place:
    """Where in the upload something stands."""

    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str | None = None


@dataclass
class Report:
    """Collects findings while an upload is read. `blocked` means that nothing of it may be written."""

    findings: list[Finding] = field(default_factory=list)
    refused: list[RefusedPupil] = field(default_factory=list)
    blocked: bool = False

    def add(
        self,
        code: Code,
        place: Place,
        message_vi: str,
        *,
        pupil: str | None = None,
        class_code: str | None = None,
        field: str | None = None,
    ) -> None:
        self.findings.append(
            Finding(
                code=code.code,
                severity=code.severity,
                file=place.file,
                sheet=place.sheet,
                row=place.row,
                column=place.column,
                pupil=pupil,
                class_code=class_code,
                field=field if field is not None else place.column,
                message_vi=message_vi,
                action_vi=code.action_vi,
            )
        )

    def block(self, code: Code, place: Place, message_vi: str) -> None:
        """A finding because of which nothing of the upload may be written."""
        self.blocked = True
        self.add(code, place, message_vi)

    def refuse(self, code: Code, place: Place, message_vi: str, *, kind: RefusalKind, pupil: str, class_code: str, field: str) -> None:
        """A finding that leaves one pupil out and lets the others go on."""
        self.add(code, place, message_vi, pupil=pupil, class_code=class_code, field=field)
        self.leave_out(pupil, class_code, field, kind, message_vi)

    def leave_out(self, pupil: str, class_code: str, field: str, kind: RefusalKind, reason_vi: str) -> None:
        self.refused.append(RefusedPupil(pupil=pupil, class_code=class_code, field=field, kind=kind, reason_vi=reason_vi))
