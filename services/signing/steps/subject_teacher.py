"""Subject teachers sign the content of the XML, in parallel and in any order; once for all their subjects in the class."""

from services.signing import xml
from services.signing.steps.kind import Step

STEP = Step(
    name="subjects",
    title="Giáo viên bộ môn ký duyệt",
    signature_id=lambda person: f"GVBM-{person}",
    covers=lambda _before: [xml.CONTENT_ID],
    pdf_field=None,
    role=lambda subjects: f"Giáo viên bộ môn: {', '.join(subjects)}",
)
