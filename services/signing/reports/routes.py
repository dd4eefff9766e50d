"""JSON, XML and zip under /api/signing: signature reports and signers' certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from contracts.access import Principal
from services.chassis import clock
from services.chassis.access import Who
from services.chassis.web.downloads import dated
from services.signing.reports.certificates import Form, file_name, packed
from services.signing.reports.desk import report_of, signed_document, signed_of_class, visible_task
from services.signing.reports.etsi import etsi_report
from services.signing.reports.words import INDICATIONS
from services.signing.routes import providers_of, store_of

if TYPE_CHECKING:
    from services.chassis.process import Parts
    from services.signing.reports.report import Report, ReportedSignature

router = APIRouter(prefix="/api/signing")
PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


async def reported(request: Request, who: Principal, document: str) -> Report:
    task = await visible_task(store_of(request), who, document)
    return await report_of(parts_of(request), store_of(request), tuple(providers_of(request).roots), task)


@router.get("/reports/{transcript}")
async def report(request: Request, who: Who, transcript: str) -> dict[str, Any]:
    """Who signed a transcript or a class summary, with which certificate, and what each signature is worth now."""
    return told(await reported(request, who, transcript))


@router.get("/reports/{transcript}/etsi.xml")
async def etsi(request: Request, who: Who, transcript: str) -> Response:
    """The same as a validation report by ETSI TS 119 102-2."""
    made = await reported(request, who, transcript)
    headers = {"Content-Disposition": f'attachment; filename="bao-cao-chu-ky-{file_name(transcript)}.xml"', **PRIVATE}
    return Response(etsi_report(made), media_type="application/xml", headers=headers)


@router.get("/reports/{transcript}/certificates.zip")
async def certificates(request: Request, who: Who, transcript: str, form: Form = "pem") -> Response:
    """The certificates of everybody who signed it, with a list."""
    task = await visible_task(store_of(request), who, transcript)
    found = await signed_document(parts_of(request), task)
    return _zip(packed([found], form, clock.now()), f"chung-thu-so-{file_name(transcript)}")


@router.get("/certificates.zip")
async def certificates_of_class(
    request: Request,
    who: Who,
    *,
    class_code: Annotated[str, Query(alias="class", max_length=40)],
    year: Annotated[str, Query(pattern=r"^20\d\d-20\d\d$")],
    form: Form = "pem",
) -> Response:
    """The certificates of everybody who signed a document of the class in that school year, with a list."""
    found = await signed_of_class(parts_of(request), store_of(request), who, year, class_code)
    return _zip(packed(found, form, clock.now()), f"chung-thu-so-{year}-lop-{file_name(class_code)}")


def _zip(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{dated(name)}.zip"', **PRIVATE}
    return Response(content, media_type="application/zip", headers=headers)


def told(made: Report) -> dict[str, Any]:
    """As JSON: without the octets of certificates and timestamps, which the ETSI report has."""
    return {
        "document": made.document,
        "kind": made.kind,
        "title": made.title,
        "year": made.year,
        "version": made.version,
        "sealed": made.sealed,
        "at": made.at,
        "indication": made.indication,
        "indication_text": INDICATIONS[made.indication],
        "intact": made.intact,
        "audited_at": made.audited_at,
        "findings": [{**f.model_dump(), "text": f.text} for f in made.findings],
        "files": [
            {
                "file": f.file,
                "sha256": f.sha256,
                "size": f.size,
                "intact": f.intact and not f.missing,
                "timestamps": [s.model_dump(exclude={"token"}) for s in f.carried.stamps],
                "revocation_evidence": [{**p.model_dump(exclude={"octets"}), "sha256": p.sha256} for p in f.carried.proofs],
            }
            for f in made.files
        ],
        "signatures": [_told(one) for one in made.signatures],
    }


def _told(one: ReportedSignature) -> dict[str, Any]:
    return one.model_dump(exclude={"path_certificates"})
