"""The homeroom teacher's signature: the XML content with all subject teachers' signatures, and the PDF (field GVCN)."""

from services.signing.steps.kind import Step, values_before

STEP = Step(
    name="homeroom",
    title="Giáo viên chủ nhiệm ký duyệt",
    signature_id=lambda _person: "GVCN",
    covers=values_before,
    pdf_field="GVCN",
    role=lambda subjects: f"Giáo viên chủ nhiệm, giáo viên môn: {', '.join(subjects)}" if subjects else "Giáo viên chủ nhiệm",
)
