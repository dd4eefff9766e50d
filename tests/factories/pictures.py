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


def seal_picture(size: int = 430) -> bytes:
    """Two red rings and a star of strokes on transparent ground."""
    picture = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    for inset in (6, size // 6):
        draw.ellipse((inset, inset, size - inset, size - inset), outline=(196, 22, 28, 255), width=8)
    for start in range(0, 360, 36):
        draw.pieslice((size // 3, size // 3, 2 * size // 3, 2 * size // 3), start, start + 14, fill=(196, 22, 28, 230))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
