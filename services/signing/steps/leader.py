"""The leader's signature: the XML content with all signatures before, and the PDF (field CBQL)."""

from services.signing.steps.kind import Step, values_before

STEP = Step(
    name="leader",
    title="Lãnh đạo ký duyệt",
    signature_id=lambda _person: "CBQL",
    covers=values_before,
    pdf_field="CBQL",
    role=lambda _subjects: "Lãnh đạo nhà trường",
)
