"""What a signature shows on paper: the picture of a signature or of the school's seal, as the appearance of its own field.

The pictures have the colours of the printed form (its output intent is sRGB), no transparency and no fonts: what PDF/A-3b forbids, and
what makes validators look twice at later changes, is not there.
"""

import io
import zlib
from typing import Final

from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict

from services.means.pdf.syntax import ForeignPdf, array

MM: Final = 72 / 25.4
SIGNATURE_MM: Final = (60.0, 18.0)
SEAL_MM: Final = (36.0, 36.0)
"""The greatest true size of a seal (Nghị định 30/2020/NĐ-CP, Phụ lục I)."""
MARGIN: Final = 1.0
_PIXELS_A_MM: Final = 120 / 25.4
_MOST_PIXELS: Final = 4000 * 4000
_COLOURS: Final = 8


class Stamp(BaseModel):
    """A picture made ready once for many documents: `pixels` are places in `palette` (RGB), half a byte each, the rows deflated.

    It is printed `width_mm` by `height_mm` large, or smaller where the field is.
    """

    model_config = ConfigDict(frozen=True)

    width: int
    height: int
    palette: bytes
    pixels: bytes
    width_mm: float
    height_mm: float


def stamp(png: bytes, largest_mm: tuple[float, float]) -> Stamp:
    """The picture with few colours on white, printed as large as fits; about 1 KB, a seal 3 KB.

    Raises ValueError for what is not a picture of a size that identity keeps.
    """
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise ValueError("the picture is too large")
            drawn = picture.convert("RGBA")
    except UnidentifiedImageError as unknown:
        raise ValueError("the picture is not a PNG file") from unknown
    scale = min(largest_mm[0] / drawn.width, largest_mm[1] / drawn.height)
    width_mm, height_mm = drawn.width * scale, drawn.height * scale
    drawn.thumbnail((round(width_mm * _PIXELS_A_MM), round(height_mm * _PIXELS_A_MM)), Image.Resampling.LANCZOS)
    paper = Image.new("RGBA", drawn.size, (255, 255, 255, 255))
    paper.alpha_composite(drawn)
    few = paper.convert("RGB").quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = bytes(few.getpalette() or []).ljust(3 * _COLOURS, b"\xff")[: 3 * _COLOURS]
    return Stamp(
        width=few.width,
        height=few.height,
        palette=palette,
        pixels=zlib.compress(_packed(few.tobytes(), few.width), 9),
        width_mm=round(width_mm, 2),
        height_mm=round(height_mm, 2),
    )


def appearance(picture: Stamp, field: dict[bytes, bytes], number: int) -> list[tuple[int, bytes]]:
    """The form that the widget refers to, and its picture, as objects from `number` on; the picture stands in the middle."""
    try:
        left, low, right, high = (float(edge) for edge in array(field.get(b"/Rect", b"[]")))
    except ValueError as error:
        raise ForeignPdf("the field has no place") from error
    width, height = right - left, high - low
    if width <= 2 * MARGIN or height <= 2 * MARGIN:
        return []
    wide, tall = picture.width_mm * MM, picture.height_mm * MM
    scale = min(1.0, (width - 2 * MARGIN) / wide, (height - 2 * MARGIN) / tall)
    wide, tall = wide * scale, tall * scale
    drawing = b"q %.2f 0 0 %.2f %.2f %.2f cm /P Do Q" % (wide, tall, (width - wide) / 2, (height - tall) / 2)
    form = b"<</Type/XObject/Subtype/Form/BBox[0 0 %.2f %.2f]/Resources<</XObject<</P %d 0 R>>>>/Length %d>>\nstream\n%s\nendstream" % (
        width,
        height,
        number + 1,
        len(drawing),
        drawing,
    )
    image = (
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 4/ColorSpace[/Indexed/DeviceRGB %d<%s>]"
        b"/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream"
        % (
            picture.width,
            picture.height,
            len(picture.palette) // 3 - 1,
            picture.palette.hex().encode("ascii"),
            len(picture.pixels),
            picture.pixels,
        )
    )
    return [(number, form), (number + 1, image)]


def _packed(places: bytes, width: int) -> bytes:
    """Two pixels a byte, each row from a byte of its own."""
    rows = (places[start : start + width] + bytes(width % 2) for start in range(0, len(places), width))
    return b"".join(bytes(high << 4 | low for high, low in zip(row[::2], row[1::2], strict=True)) for row in rows)
