"""The picture of a signature as it is printed: small, and with white instead of transparency."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, UnidentifiedImageError

LARGEST: Final = (480, 120)
"""Pixels: 40 mm by 10 mm at 300 to the inch."""
_MOST_PIXELS: Final = 4000 * 4000
_COLOURS: Final = 32


def printable(png: bytes) -> bytes:
    """A PNG of few colours that fits into `LARGEST`. Raises ValueError for what is not a picture of a size that identity keeps."""
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise ValueError("the picture of a signature is too large")
            drawn = picture.convert("RGBA")
    except UnidentifiedImageError as unknown:
        raise ValueError("the picture of a signature is not a PNG file") from unknown
    drawn.thumbnail(LARGEST, Image.Resampling.LANCZOS)
    paper = Image.new("RGBA", drawn.size, (255, 255, 255, 255))
    paper.alpha_composite(drawn)
    out = io.BytesIO()
    paper.convert("RGB").quantize(_COLOURS, method=Image.Quantize.MEDIANCUT).save(out, "PNG", optimize=True)
    return out.getvalue()
