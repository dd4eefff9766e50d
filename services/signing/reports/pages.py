"""The page of a signature report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from contracts.access import Action
from services.chassis.access import Who, require
from services.chassis.web.look import file_size, render, vn_date, vn_time
from services.chassis.web.shell import shell
from services.signing.auditing import store as audits
from services.signing.auditing.findings import Finding, words
from services.signing.errors import STORED_DIFFERS
from services.signing.queues import document_href, title_of
from services.signing.reports.lists import REPORTS
from services.signing.reports.report import STAMP_KINDS
from services.signing.reports.routes import reported
from services.signing.reports.words import INDICATIONS, NAMES, STATES
from services.signing.routes import store_of

if TYPE_CHECKING:
    from services.signing.reports.report import JudgedFile, Report, ReportedSignature

router = APIRouter(prefix="/ui/signing", include_in_schema=False)
FILES = {"xml": "Bản XML", "pdf": "Bản PDF"}
TONES = {"passed": "success", "failed": "danger", "unknown": "waiting"}
INDICATION_TONES = {"TOTAL_PASSED": "success", "TOTAL_FAILED": "danger", "INDETERMINATE": "waiting"}


@router.get("/reports/differing")
async def show_differing(request: Request, who: Who) -> Response:
    """For those who see the whole school: documents whose stored files are not what was signed."""
    require(who, Action.VIEW_SCHOOL, school=who.school)
    store = store_of(request)
    found = await audits.different(store.db, str(who.school))
    tasks = await store.load_tasks(None, [each["_id"] for each in found])
    context = {
        "shell": shell(request, who),
        "title": STORED_DIFFERS.title,
        "code": STORED_DIFFERS.code,
        "what_to_do": STORED_DIFFERS.action,
        "rows": [
            {
                "title": title_of(tasks[each["_id"]]),
                "id": each["_id"],
                "since": each["since"],
                "text": words(Finding.model_validate(f) for f in each["findings"]),
                "href": f"{REPORTS}/{each['_id']}",
            }
            for each in found
            if each["_id"] in tasks
        ],
    }
    return render(request.app.state.pages, request, "signing/differing.html", context)


@router.get("/reports/{transcript}")
async def show_report(request: Request, who: Who, transcript: str) -> Response:
    made = await reported(request, who, transcript)
    api = f"/api/signing/reports/{transcript}"
    context = {
        "shell": shell(request, who),
        "title": f"Báo cáo chữ ký: {made.title}",
        "back_href": document_href({"kind": made.kind}, transcript),
        "back_text": "Xem bảng tổng hợp" if made.kind == "class_summary" else "Xem học bạ",
        "id": made.document,
        "version": made.version,
        "verdict": (INDICATIONS[made.indication], INDICATION_TONES[made.indication]),
        "said": _said(made),
        "code": STORED_DIFFERS.code if not made.intact else "",
        "what_to_do": STORED_DIFFERS.action,
        "findings": [finding.text for finding in made.findings],
        "facts": _facts(made),
        "files": [_file(file, made) for file in made.files],
        "downloads": [
            ("Tải báo cáo theo ETSI TS 119 102-2 (XML)", f"{api}/etsi.xml"),
            ("Tải chứng thư số người ký (PEM)", f"{api}/certificates.zip"),
            ("Tải chứng thư số người ký (CER)", f"{api}/certificates.zip?form=cer"),
        ]
        if made.intact
        else [("Tải báo cáo theo ETSI TS 119 102-2 (XML)", f"{api}/etsi.xml")],
    }
    return render(request.app.state.pages, request, "signing/report.html", context)


def _said(made: Report) -> str:
    if not made.intact:
        return "Tệp lưu trữ sai khác với tệp đã ký; không dùng tệp này."
    if made.indication == "TOTAL_PASSED":
        return "Mọi chữ ký đều toàn vẹn, đúng người ký, được tin cậy và có dấu thời gian."
    if not made.sealed:
        return "Tài liệu chưa hoàn thành ký và đóng dấu thời gian; các chữ ký đã có được kiểm tra tại thời điểm xem."
    return "Có chữ ký chưa đủ căn cứ kết luận; xem từng chữ ký bên dưới."


def _facts(made: Report) -> list[tuple[str, str]]:
    audited = vn_time(made.audited_at) if made.audited_at else "Chưa đến lượt"
    return [
        ("Tài liệu", made.title),
        ("Năm học", made.year),
        ("Thời điểm kiểm tra", vn_time(made.at)),
        ("Kiểm tra định kỳ gần nhất", audited),
    ]


def _file(file: JudgedFile, made: Report) -> dict[str, Any]:
    state = "Tệp không còn trong kho lưu trữ" if file.missing else "Đúng tệp đã ghi nhận" if file.intact else "Không đúng tệp đã ghi nhận"
    facts = [("Tình trạng", state), ("Dung lượng", file_size(file.size)), ("Mã SHA-256", file.sha256)]
    if file.unsuitable:
        facts.append(("Không kiểm tra được", file.unsuitable.message_vi))
    stamps = [[STAMP_KINDS[s.kind], vn_time(s.time), s.authority, s.serial] for s in file.carried.stamps]
    proofs = [[p.kind, p.made_by, vn_time(p.made_at), vn_time(p.next_update) if p.next_update else "–"] for p in file.carried.proofs]
    return {
        "name": FILES[file.file],
        "facts": facts,
        "signatures": [_signature(one) for one in made.of(file.file)],
        "stamps": stamps,
        "proofs": proofs,
    }


def _signature(one: ReportedSignature) -> dict[str, Any]:
    facts = [("Vị trí", one.place), ("Bước ký", one.step_title)]
    if one.subjects:
        facts.append(("Môn học", ", ".join(one.subjects)))
    if one.claimed_role:
        facts.append(("Vai trò ghi trong chữ ký", one.claimed_role))
    facts.append(("Thời điểm ký", vn_time(one.signed_at) if one.signed_at else "–"))
    if one.certificate is not None:
        span = f"{vn_date(one.certificate.valid_from)} đến {vn_date(one.certificate.valid_to)}"
        facts += [
            ("Chủ thể chứng thư số", one.certificate.subject),
            ("Số chứng thư", one.certificate.serial),
            ("Tổ chức cấp", one.certificate.issuer),
            ("Hiệu lực", span),
            ("Dấu vân tay SHA-256", one.certificate.sha256),
            ("Thuật toán", one.algorithm),
            ("Đường dẫn tin cậy", " → ".join(one.path)),
        ]
    facts += [
        ("Mức chữ ký", one.level),
        ("Kết luận theo ETSI EN 319 102-1", one.indication + (f" ({one.sub_indication})" if one.sub_indication else "")),
    ]
    return {
        "name": one.name,
        "step": f"{one.step_title}: {', '.join(one.subjects)}" if one.subjects else one.step_title,
        "at": vn_time(one.signed_at) if one.signed_at else "–",
        "verdict": (INDICATIONS[one.indication], INDICATION_TONES[one.indication]),
        "checks": [
            {"text": NAMES[check.name], "hint": check.text, "status": STATES[check.state], "tone": TONES[check.state]}
            for check in one.checks
        ],
        "facts": facts,
    }
