"""Invented pictures of signatures: a stroke of blue ink on transparent ground."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

from services.records.render.pictures import printable
from services.records.schoolyear import TranscriptContent


def signature_picture(seed: int = 0, width: int = 600, height: int = 220) -> bytes:
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    points = [(20 + step * (width - 40) / 7, height * (0.2 + 0.6 * ((step * (3 + seed) + seed) % 5) / 4)) for step in range(8)]
    ImageDraw.Draw(picture).line(points, fill=(24, 52, 148, 255), width=9, joint="curve")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def signature_pictures(content: TranscriptContent) -> dict[str, bytes]:
    """One each, as they are printed."""
    return {teacher.staff: printable(signature_picture(number)) for number, teacher in enumerate(content.subject_teachers)}
