"""The school's own signature, made by an issuer with the school certificate: the whole XML, and the PDF (field KY_PHAT_HANH)."""

from services.signing import xml
from services.signing.steps.kind import Step

STEP = Step(
    name="issue",
    title="Nhà trường ký phát hành",
    signature_id=lambda _person: "KY_PHAT_HANH",
    covers=lambda _before: xml.WHOLE,
    pdf_field="KY_PHAT_HANH",
    role=lambda _subjects: "Nhà trường ký phát hành",
)
