"""The menu that all services share: the numbers and words of the user guides, and who sees an entry.

Secondary schools go by guide 001, primary schools by guide 000, oversight units by guide 002. Class summaries are of primary schools alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.access import OWN_PART, WHOLE_SCHOOL, Action, Principal, Role

PRODUCT = "Học bạ số"

ROLE_NAMES: dict[Role, str] = {
    Role.OFFICER: "Cán bộ quản lý cấp trên",
    Role.ADMINISTRATOR: "Quản trị viên",
    Role.MANAGER: "Cán bộ quản lý",
    Role.ISSUER: "Nhân sự ký phát hành",
    Role.HOMEROOM_TEACHER: "Giáo viên chủ nhiệm",
    Role.SUBJECT_TEACHER: "Giáo viên bộ môn",
    Role.CLERK: "Nhân viên học vụ",
}
PRIMARY = "TH"


@dataclass(frozen=True)
class Entry:
    group: str
    number: str
    text: str
    href: str
    roles: frozenset[Role]

    @property
    def title(self) -> str:
        """As the heading of its page: "2.3. Giáo viên chủ nhiệm ký duyệt"."""
        return f"{self.number} {self.text}".strip()


def _roles(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


_STAFF = _roles(Role.ADMINISTRATOR, Role.MANAGER, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER, Role.ISSUER, Role.CLERK)
_REGISTRANTS = WHOLE_SCHOOL[Action.REGISTER_SIGNING_ACCOUNT]
_SCHOOL_REGISTRANTS = WHOLE_SCHOOL[Action.REGISTER_SCHOOL_CERTIFICATE]
_APPROVERS = WHOLE_SCHOOL[Action.APPROVE_SIGNING_ACCOUNT]
_IMPORTERS = WHOLE_SCHOOL[Action.IMPORT]
_COPIERS = WHOLE_SCHOOL[Action.KEEP_COPIES]
_SHARERS = WHOLE_SCHOOL[Action.SHARE]
_CONFIRMERS = WHOLE_SCHOOL[Action.CONFIRM]
_CREATORS = WHOLE_SCHOOL[Action.CREATE] | OWN_PART[Action.CREATE]
_FINALISERS = WHOLE_SCHOOL[Action.FINALISE] | OWN_PART[Action.FINALISE] | WHOLE_SCHOOL[Action.REOPEN_CLASS]
_PRINT_CONFIGURERS = WHOLE_SCHOOL[Action.CONFIGURE_PRINTING]
_CANCELLERS = WHOLE_SCHOOL[Action.DECIDE_RETURNS]
_TRANSFERERS = WHOLE_SCHOOL[Action.KEEP_TRANSFERS]
_ARCHIVISTS = WHOLE_SCHOOL[Action.ARCHIVE_YEAR]
_DIGITISERS = WHOLE_SCHOOL[Action.VIEW_DIGITISATION] | {Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER}
_ONLOOKERS = WHOLE_SCHOOL[Action.VIEW_SCHOOL]
_FOLLOWERS = WHOLE_SCHOOL[Action.FOLLOW_SIGNING] | OWN_PART[Action.FOLLOW_SIGNING]
_ACCOUNT_VIEWERS = WHOLE_SCHOOL[Action.VIEW_ACCOUNTS]
_ACCOUNT_GRANTERS = WHOLE_SCHOOL[Action.GRANT_ACCOUNTS]
_WATCHERS = WHOLE_SCHOOL[Action.VIEW_AUDIT]
_ANSWERERS = WHOLE_SCHOOL[Action.ANSWER_PROBLEMS]

SCHOOL_CERTIFICATE = "/ui/identity/school-certificate"
SIGNING_ACCOUNT = "/ui/identity/signing-account/"
_ACCOUNTS = "/ui/identity/signing-accounts"
_STAFF_ACCOUNTS = "/ui/identity/accounts"
_RECOVERY = "/ui/identity/recovery"
IMPORTS = "/ui/records/imports"
FINALISATION = "/ui/records/finalisation"
PRINTING = "/ui/records/printing"
CLASSES = "/ui/records/classes"
LOCKS = "/ui/records/locks"
CORRECTIONS = "/ui/records/corrections"
RULES = "/ui/records/rules"
COPIES = "/ui/records/copies"
CONFIRMATION = "/ui/records/confirmation"
REVIEW = "/ui/records/review"
PROGRESS = "/ui/records/progress"
LOOKUP = "/ui/records/lookup"
CANCELLATION = "/ui/records/cancellation"
LEARNERS = "/ui/records/learners"
TRANSFERS = "/ui/records/transfers"
ARCHIVES = "/ui/records/archives"
SUMMARIES = "/ui/records/summaries"
SUMMARY_CONFIRMATION = "/ui/records/summary-confirmation"
SUMMARY_LOOKUP = "/ui/records/summary-lookup"
SUMMARY_CANCELLATION = "/ui/records/summary-cancellation"
DIGITISATION = "/ui/records/digitisation"
SUBJECTS, HOMEROOM, LEADER, ISSUE = (f"/ui/signing/{step}" for step in ("subjects", "homeroom", "leader", "issue"))
SUMMARY_HOMEROOM, SUMMARY_LEADER, SUMMARY_ISSUE = (f"/ui/signing/summary-{step}" for step in ("homeroom", "leader", "issue"))
SUBMISSIONS = "/ui/publishing/submissions"
GATEWAY_LOOKUP = "/ui/publishing/lookup"
ADMISSIONS = "/ui/publishing/admissions"
SUMMARY_SUBMISSIONS = "/ui/publishing/summaries"
SHARES = "/ui/publishing/shares"
WITHDRAWALS = "/ui/publishing/withdrawals"
WITHDRAWAL_SENDING = "/ui/publishing/withdrawal-sending"
WITHDRAWAL_SEALS = "/ui/signing/withdrawal-issue"
CERTIFICATES = "/ui/district/certificates"
LOCK_DATES = "/ui/district/lock-dates"
OVERSIGHT_LOOKUP = "/ui/district/lookup"
STATISTICS = "/ui/district/statistics"
WITHDRAWAL_REQUESTS = "/ui/district/withdrawals"
BOARD = "/ui/district/board"
ORGANISATIONS = "/ui/identity/organisations"
OWN_SCHOOL = "/ui/identity/own-school"
ACTIVITY, AUDIT, PROBLEMS = "/ui/identity/activity", "/ui/identity/audit", "/ui/identity/problems"

_SYSTEM, _SECONDARY, _PRIMARY, _OVERSIGHT = "1. Hệ thống", "2. Học bạ số", "2. Học bạ điện tử", "6. Học bạ số"
_SUMMARIES = "3. Bảng tổng hợp kết quả đánh giá giáo dục"

_EVERY_SCHOOL: tuple[Entry, ...] = (
    Entry(_SYSTEM, "1.2.", "Giáo viên đăng ký tài khoản ký", SIGNING_ACCOUNT, _REGISTRANTS),
    Entry(_SYSTEM, "1.3.", "Duyệt tài khoản ký", _ACCOUNTS, _APPROVERS),
    Entry(_SYSTEM, "", "Tài khoản cán bộ, giáo viên", _STAFF_ACCOUNTS, _ACCOUNT_VIEWERS),
    Entry(_SYSTEM, "", "Yêu cầu cấp lại mật khẩu", _RECOVERY, _ACCOUNT_GRANTERS),
    Entry(_SYSTEM, "", "Thông tin nhà trường", OWN_SCHOOL, _ONLOOKERS),
    Entry(_SYSTEM, "", "Hoạt động của trường", ACTIVITY, _WATCHERS),
    Entry(_SYSTEM, "", "Nhật ký hoạt động", AUDIT, _WATCHERS),
    Entry(_SYSTEM, "", "Báo lỗi", PROBLEMS, _ANSWERERS),
)
SECONDARY_ENTRIES: tuple[Entry, ...] = (
    Entry(_SYSTEM, "1.1.", "Quản lý chứng thư số nhà trường", SCHOOL_CERTIFICATE, _SCHOOL_REGISTRANTS),
    *_EVERY_SCHOOL,
    Entry(_SECONDARY, "", "Nhập dữ liệu tổng kết", IMPORTS, _IMPORTERS),
    Entry(_SECONDARY, "", "Xác nhận hoàn thành tổng kết", FINALISATION, _FINALISERS),
    Entry(_SECONDARY, "", "Cấu hình in học bạ", PRINTING, _PRINT_CONFIGURERS),
    Entry(_SECONDARY, "", "Rà soát dữ liệu", REVIEW, _STAFF),
    Entry(_SECONDARY, "", "Phiếu đề nghị sửa dữ liệu", CORRECTIONS, _STAFF),
    Entry(_SECONDARY, "", "Khóa học bạ", LOCKS, _STAFF),
    Entry(_SECONDARY, "2.1.", "Tạo học bạ", CLASSES, _STAFF),
    Entry(_SECONDARY, "", "Tiến độ ký", PROGRESS, _FOLLOWERS),
    Entry(_SECONDARY, "", "Tra cứu học bạ", LOOKUP, _STAFF),
    Entry(_SECONDARY, "", "Cấp bản sao học bạ", COPIES, _COPIERS),
    Entry(_SECONDARY, "", "Chia sẻ học bạ", SHARES, _SHARERS),
    Entry(_SECONDARY, "", "Quy định áp dụng", RULES, _STAFF),
    Entry(_SECONDARY, "", "Hồ sơ học tập", LEARNERS, _STAFF),
    Entry(_SECONDARY, "", "Chuyển trường", TRANSFERS, _TRANSFERERS),
    Entry(_SECONDARY, "", "Số hóa học bạ giấy", DIGITISATION, _DIGITISERS),
    Entry(_SECONDARY, "", "Đóng gói lưu trữ", ARCHIVES, _ARCHIVISTS),
    Entry(_SECONDARY, "2.2.", "Giáo viên bộ môn ký duyệt", SUBJECTS, _roles(Role.SUBJECT_TEACHER)),
    Entry(_SECONDARY, "2.3.", "Giáo viên chủ nhiệm ký duyệt", HOMEROOM, _roles(Role.HOMEROOM_TEACHER)),
    Entry(_SECONDARY, "2.4.", "Lãnh đạo ký duyệt", LEADER, _roles(Role.MANAGER)),
    Entry(_SECONDARY, "2.5.", "Nhà trường ký phát hành", ISSUE, _roles(Role.ISSUER)),
    Entry(_SECONDARY, "2.6.", "Quản lý hủy học bạ", CANCELLATION, _CANCELLERS),
    Entry(_SECONDARY, "2.7.", "Xác nhận hoàn thành học bạ", CONFIRMATION, _CONFIRMERS),
    Entry(_SECONDARY, "2.8.", "Gửi học bạ lên Cổng tiếp nhận", SUBMISSIONS, _ONLOOKERS),
    Entry(_SECONDARY, "2.9.", "Tra cứu học bạ trên Cổng tiếp nhận", GATEWAY_LOOKUP, _ONLOOKERS),
    Entry(_SECONDARY, "", "Gửi học bạ lên Cổng Tuyển sinh", ADMISSIONS, _ONLOOKERS),
    Entry(_SECONDARY, "2.10.1.", "Tạo yêu cầu thu hồi", WITHDRAWALS, _ONLOOKERS),
    Entry(_SECONDARY, "2.10.2.", "Gửi yêu cầu thu hồi", WITHDRAWAL_SENDING, _ONLOOKERS),
    Entry(_SECONDARY, "", "Ký yêu cầu thu hồi", WITHDRAWAL_SEALS, _roles(Role.ISSUER)),
)
PRIMARY_ENTRIES: tuple[Entry, ...] = (
    Entry(_SYSTEM, "1.1.", "Quản lý con dấu trường", SCHOOL_CERTIFICATE, _SCHOOL_REGISTRANTS),
    *_EVERY_SCHOOL,
    Entry(_PRIMARY, "", "Nhập dữ liệu tổng kết", IMPORTS, _IMPORTERS),
    Entry(_PRIMARY, "", "Xác nhận hoàn thành tổng kết", FINALISATION, _FINALISERS),
    Entry(_PRIMARY, "", "Cấu hình in học bạ", PRINTING, _PRINT_CONFIGURERS),
    Entry(_PRIMARY, "", "Rà soát dữ liệu", REVIEW, _STAFF),
    Entry(_PRIMARY, "", "Phiếu đề nghị sửa dữ liệu", CORRECTIONS, _STAFF),
    Entry(_PRIMARY, "", "Khóa học bạ", LOCKS, _STAFF),
    Entry(_PRIMARY, "2.1.", "Tạo học bạ", CLASSES, _STAFF),
    Entry(_PRIMARY, "", "Tiến độ ký", PROGRESS, _FOLLOWERS),
    Entry(_PRIMARY, "", "Tra cứu học bạ", LOOKUP, _STAFF),
    Entry(_PRIMARY, "", "Cấp bản sao học bạ", COPIES, _COPIERS),
    Entry(_PRIMARY, "", "Chia sẻ học bạ", SHARES, _SHARERS),
    Entry(_PRIMARY, "", "Quy định áp dụng", RULES, _STAFF),
    Entry(_PRIMARY, "", "Hồ sơ học tập", LEARNERS, _STAFF),
    Entry(_PRIMARY, "", "Chuyển trường", TRANSFERS, _TRANSFERERS),
    Entry(_PRIMARY, "", "Số hóa học bạ giấy", DIGITISATION, _DIGITISERS),
    Entry(_PRIMARY, "", "Đóng gói lưu trữ", ARCHIVES, _ARCHIVISTS),
    Entry(_PRIMARY, "", "Giáo viên bộ môn ký duyệt", SUBJECTS, _roles(Role.SUBJECT_TEACHER)),
    Entry(_PRIMARY, "2.2.", "Giáo viên chủ nhiệm ký duyệt", HOMEROOM, _roles(Role.HOMEROOM_TEACHER)),
    Entry(_PRIMARY, "2.3.", "Lãnh đạo ký duyệt", LEADER, _roles(Role.MANAGER)),
    Entry(_PRIMARY, "2.4.", "Đóng dấu phát hành", ISSUE, _roles(Role.ISSUER)),
    Entry(_PRIMARY, "2.5.1.", "Xác nhận hoàn thành học bạ", CONFIRMATION, _CONFIRMERS),
    Entry(_PRIMARY, "2.5.2.", "Gửi học bạ", SUBMISSIONS, _ONLOOKERS),
    Entry(_PRIMARY, "", "Tra cứu học bạ trên Cổng tiếp nhận", GATEWAY_LOOKUP, _ONLOOKERS),
    Entry(_PRIMARY, "", "Gửi học bạ lên Cổng Tuyển sinh", ADMISSIONS, _ONLOOKERS),
    Entry(_PRIMARY, "2.6.", "Quản lý hủy duyệt học bạ", CANCELLATION, _CANCELLERS),
    Entry(_PRIMARY, "", "Tra cứu, Thu hồi", WITHDRAWALS, _ONLOOKERS),
    Entry(_PRIMARY, "", "Gửi yêu cầu thu hồi", WITHDRAWAL_SENDING, _ONLOOKERS),
    Entry(_PRIMARY, "", "Ký yêu cầu thu hồi", WITHDRAWAL_SEALS, _roles(Role.ISSUER)),
    Entry(_SUMMARIES, "3.1.", "Tạo bảng tổng hợp kết quả đánh giá giáo dục", SUMMARIES, _CREATORS),
    Entry(_SUMMARIES, "3.2.", "Giáo viên chủ nhiệm ký duyệt", SUMMARY_HOMEROOM, _roles(Role.HOMEROOM_TEACHER)),
    Entry(_SUMMARIES, "3.3.", "Lãnh đạo ký duyệt", SUMMARY_LEADER, _roles(Role.MANAGER)),
    Entry(_SUMMARIES, "3.4.", "Đóng dấu phát hành", SUMMARY_ISSUE, _roles(Role.ISSUER)),
    Entry(_SUMMARIES, "3.5.1.", "Xác nhận hoàn thành bảng tổng hợp", SUMMARY_CONFIRMATION, _CONFIRMERS),
    Entry(_SUMMARIES, "3.5.2.", "Gửi bảng tổng hợp", SUMMARY_SUBMISSIONS, _ONLOOKERS),
    Entry(_SUMMARIES, "3.6.", "Tra cứu bảng tổng hợp", SUMMARY_LOOKUP, _STAFF),
    Entry(_SUMMARIES, "3.7.", "Quản lý hủy duyệt bảng tổng hợp", SUMMARY_CANCELLATION, _CANCELLERS),
)
OVERSIGHT_ENTRIES: tuple[Entry, ...] = (
    Entry(_SYSTEM, "", "Đơn vị và trường học", ORGANISATIONS, _roles(Role.OFFICER)),
    Entry(_SYSTEM, "", "Yêu cầu cấp lại mật khẩu", _RECOVERY, _roles(Role.OFFICER)),
    Entry(_SYSTEM, "", "Nhật ký hoạt động", AUDIT, _roles(Role.OFFICER)),
    Entry(_SYSTEM, "", "Báo lỗi", PROBLEMS, _roles(Role.OFFICER)),
    Entry(_OVERSIGHT, "6.1.", "Duyệt chứng thư số đơn vị", CERTIFICATES, _roles(Role.OFFICER)),
    Entry(_OVERSIGHT, "6.2.", "Cấu hình tiếp nhận, thu hồi học bạ số", LOCK_DATES, _roles(Role.OFFICER)),
    Entry(_OVERSIGHT, "6.3.", "Tra cứu học bạ số", OVERSIGHT_LOOKUP, _roles(Role.OFFICER)),
    Entry(_OVERSIGHT, "6.4.", "Thống kê học bạ số", STATISTICS, _roles(Role.OFFICER)),
    Entry(_OVERSIGHT, "6.5.", "Quản lý yêu cầu thu hồi", WITHDRAWAL_REQUESTS, _roles(Role.OFFICER)),
    Entry(_OVERSIGHT, "", "Theo dõi trực tiếp", BOARD, _roles(Role.OFFICER)),
)


def entries_of(who: Principal) -> tuple[Entry, ...]:
    """In the version that the person signed in to; the secondary numbers where the version is not known."""
    return (PRIMARY_ENTRIES if who.level == PRIMARY else SECONDARY_ENTRIES) + OVERSIGHT_ENTRIES


def menu_of(who: Principal) -> tuple[Entry, ...]:
    return tuple(e for e in entries_of(who) if e.roles & who.roles)


def entry_of(who: Principal, href: str) -> Entry:
    """The entry of a page, whether the person sees it or not. Raises LookupError for an address that is not in the menu."""
    for entry in entries_of(who):
        if entry.href == href:
            return entry
    raise LookupError(href)


def role_name(who: Principal) -> str:
    return ", ".join(name for role, name in ROLE_NAMES.items() if role in who.roles)
