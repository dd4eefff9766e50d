"""From an uploaded picture to a seal or signature: paper made transparent, cropped to the ink, shown on a sample.

Plain bytes and numbers in, plain bytes out; for a process pool, as it needs the processor. Everything comes out newly encoded from
pixels: nothing of the uploaded file itself is kept.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from services.identity.images import png
from services.identity.images.png import BadImage

Image.MAX_IMAGE_PIXELS = png.MOST_PIXELS_A_SIDE**2

LONGEST_ORIGINAL: Final = 2400
LONGEST_PICTURE: Final = 1200
"""Pixels: 36 mm, the width of a seal, at more than 800 to the inch."""
LONGEST_PREVIEW: Final = 600
THRESHOLD: Final = 25
"""Per cent of the way from paper to black, from which something is ink."""
LEAST_LEFT: Final = 8
"""Pixels that a crop must leave on each side."""
_SOFT: Final = 32
_SURE: Final = 64
_DARKEST_PAPER: Final = 160
_PAPER_SIDE: Final = 96
_MARGIN: Final = 0.04
_INK: Final = (24, 52, 148)


@dataclass(frozen=True)
class Edit:
    """How a picture is made from its original. `trims` are pixels of the original cut off left, top, right, bottom.

    Without `trims` it is cropped to the ink with a margin when `crop` is set.
    """

    background: bool = True
    threshold: int = THRESHOLD
    crop: bool = True
    trims: tuple[int, int, int, int] | None = None


@dataclass(frozen=True)
class Picture:
    """A PNG file of ours."""

    content: bytes
    width: int
    height: int


AS_IS: Final = Edit(background=False, crop=False)


def original(content: bytes) -> Picture:
    """The uploaded picture, checked and newly encoded. Raises BadImage."""
    return _encoded(_shrunk(_decoded(content), LONGEST_ORIGINAL))


def edited(content: bytes, edit: Edit) -> Picture:
    """A picture made from an original. Raises BadImage."""
    return _encoded(_edited(_ours(content), edit))


def preview(content: bytes, edit: Edit) -> bytes:
    """The same, smaller, on a chequered ground, so that what is transparent can be seen. Raises BadImage."""
    picture = _shrunk(_edited(_ours(content), edit), LONGEST_PREVIEW)
    ground = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    draw = ImageDraw.Draw(ground)
    step = max(6, max(picture.size) // 48)
    for row, top in enumerate(range(0, picture.height, step)):
        for left in range((row % 2) * step, picture.width, 2 * step):
            draw.rectangle((left, top, left + step - 1, top + step - 1), fill=(222, 226, 230, 255))
    ground.alpha_composite(picture)
    return _encoded(ground).content


def sample_of_seal(seal: bytes, edit: Edit) -> bytes:
    """The seal, once edited, on the signature of nobody. Raises BadImage."""
    return _sample(_edited(_ours(seal), edit), _stand_in())


def sample_of_signature(signature: bytes, edit: Edit, seal: bytes | None) -> bytes:
    """The signature, once edited, below the seal where there is one. Raises BadImage."""
    return _sample(_ours(seal) if seal is not None else None, _edited(_ours(signature), edit))


def _sample(seal: Image.Image | None, signature: Image.Image) -> bytes:
    """The seal covers a third of the signature on its left (Nghị định 30/2020/NĐ-CP, Điều 33)."""
    page = Image.new("RGBA", (600, 260), (255, 255, 255, 255))
    hand = _fitted(signature, 270, 130)
    left, top = 260, (page.height - hand.height) // 2
    page.alpha_composite(hand, (left, top))
    if seal is not None:
        stamp = _fitted(seal, 230, 230)
        page.alpha_composite(stamp, (max(0, left + hand.width // 3 - stamp.width), (page.height - stamp.height) // 2))
    return _encoded(page).content


def _decoded(content: bytes) -> Image.Image:
    _, drawn = png.checked(content)
    return _read(drawn)


def _ours(content: bytes) -> Image.Image:
    """Of our own making: may be larger than an upload."""
    return _read(content)


def _read(content: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as found:
            found.load()
            # Pillow cuts 16 bits of grey off at 255 instead of scaling them
            whole = found.convert("I").point(lambda value: value * (1 / 257)).convert("L") if found.mode.startswith("I") else found
            return whole.convert("RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as problem:
        raise BadImage("damaged", "dữ liệu điểm ảnh không đọc được") from problem


def _edited(picture: Image.Image, edit: Edit) -> Image.Image:
    if not edit.background and not edit.crop and edit.trims is None:
        return picture
    threshold = min(100, max(1, edit.threshold)) * 255 // 100
    ink = _ink(picture, threshold)
    if edit.background:
        picture = _without_ground(picture, ink)
    if edit.trims is not None:
        picture = picture.crop(_box(picture, edit.trims))
    elif edit.crop:
        picture = picture.crop(_around(ink))
    if edit.background and _bounds(picture.getchannel("A")) is None:
        raise BadImage("no_ink")
    return _shrunk(picture, LONGEST_PICTURE)


def _ink(picture: Image.Image, threshold: int) -> Image.Image:
    """How much ink there is at each pixel, 0 to 255: how far it is from the paper around it, in the channel that differs most.

    Red differs from paper in green and blue, blue in red and green, black in all; paper, even grey or yellowish, in none.
    """
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    white.alpha_composite(picture)
    colours = white.convert("RGB")
    paper = _paper(colours)
    parts = [ImageChops.subtract(p, c) for p, c in zip(paper.split(), colours.split(), strict=True)]
    strength = ImageChops.lighter(ImageChops.lighter(parts[0], parts[1]), parts[2])
    return strength.point([min(255, max(0, (value - threshold) * 255 // _SOFT)) for value in range(256)])


def _paper(colours: Image.Image) -> Image.Image:
    """The colour that the paper has at each pixel: ink is thin, so the lightest nearby is paper; shadows of a photograph stay."""
    share = min(1.0, _PAPER_SIDE / max(colours.size))
    small = colours.resize((max(1, round(colours.width * share)), max(1, round(colours.height * share))), Image.Resampling.BOX)
    small = small.filter(ImageFilter.MaxFilter(9)).filter(ImageFilter.GaussianBlur(4))
    return small.point([max(value, _DARKEST_PAPER) for value in range(256)] * 3).resize(colours.size, Image.Resampling.BILINEAR)


def _without_ground(picture: Image.Image, ink: Image.Image) -> Image.Image:
    alpha = ImageChops.darker(picture.getchannel("A"), ink)
    shown = alpha.point([0] + [255] * 255)
    # nothing may remain readable under what is transparent
    clean = Image.composite(picture.convert("RGB"), Image.new("RGB", picture.size, (255, 255, 255)), shown)
    clean.putalpha(alpha)
    return clean


def _bounds(alpha: Image.Image) -> tuple[int, int, int, int] | None:
    return alpha.point([255 if value >= _SURE else 0 for value in range(256)]).getbbox()


def _around(ink: Image.Image) -> tuple[int, int, int, int]:
    found = _bounds(ink)
    if found is None:
        raise BadImage("no_ink")
    left, top, right, bottom = found
    margin = max(2, round(_MARGIN * max(right - left, bottom - top)))
    return max(0, left - margin), max(0, top - margin), min(ink.width, right + margin), min(ink.height, bottom + margin)


def _box(picture: Image.Image, trims: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    left, top, right, bottom = trims
    box = (left, top, picture.width - right, picture.height - bottom)
    if min(trims) < 0 or box[2] - box[0] < LEAST_LEFT or box[3] - box[1] < LEAST_LEFT:
        raise BadImage("crop", f"{picture.width} × {picture.height}")
    return box


def _shrunk(picture: Image.Image, longest: int) -> Image.Image:
    return picture if max(picture.size) <= longest else _fitted(picture, longest, longest)


def _fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    share = min(width / picture.width, height / picture.height)
    size = max(1, round(picture.width * share)), max(1, round(picture.height * share))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _stand_in() -> Image.Image:
    """A signature of nobody."""
    picture = Image.new("RGBA", (540, 220), (255, 255, 255, 0))
    draw = ImageDraw.Draw(picture)
    strokes = (
        [(20, 160), (80, 40), (110, 30), (100, 120), (90, 190), (150, 110), (190, 100), (180, 150), (230, 100), (260, 150), (310, 95)],
        [(310, 95), (330, 150), (390, 90), (400, 150), (520, 70)],
        [(60, 195), (300, 175), (500, 180)],
    )
    for points in strokes:
        draw.line(points, fill=(*_INK, 255), width=6, joint="curve")
    return picture


def _encoded(picture: Image.Image) -> Picture:
    kept = io.BytesIO()
    picture.save(kept, "PNG", optimize=False, compress_level=6)
    return Picture(kept.getvalue(), picture.width, picture.height)
