"""Documents travel by reference: the claim check."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DocumentKind = Literal["transcript", "class_summary"]
"""What is signed: a pupil's transcript of a year, or a primary class's "Bảng tổng hợp kết quả đánh giá giáo dục" of a year."""
SignedKind = DocumentKind | Literal["withdrawal_request"]
"""What people sign: besides these documents the school's request to take an accepted one back."""


class DocumentRef(BaseModel):
    """An object that was written once. Whoever reads it checks the digest."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    bucket: str
    key: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0, description="bytes")
