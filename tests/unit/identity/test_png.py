"""Pictures of seals and signatures: which files are refused, and what becomes of the pixels of the others.

The files are put together here by hand from the specification, so that Pillow does not judge its own work.
"""

from __future__ import annotations

import io
import pickle
import struct
import tracemalloc
import zlib

import pytest
from PIL import Image, ImageDraw

from services.identity.errors import CATALOGUE
from services.identity.images import pixels, png
from services.identity.images.pixels import Edit
from services.identity.images.png import BadImage
from services.identity.images.store import REFUSALS

SIGNATURE = b"\x89PNG\r\n\x1a\n"
RED, BLUE, BLACK, PAPER = (196, 28, 40), (24, 52, 148), (20, 20, 20), (242, 238, 228)


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width: int = 16, height: int = 16, depth: int = 8, colour: int = 2, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def rows(width: int = 16, height: int = 16, pixel: bytes = b"\x10\x20\x30") -> bytes:
    return (b"\0" + pixel * width) * height


def made(*between: bytes, before: bytes = b"", head: bytes | None = None, data: bytes | None = None, after: bytes = b"") -> bytes:
    packed = chunk(b"IDAT", zlib.compress(rows() if data is None else data))
    return SIGNATURE + (head or header()) + before + packed + b"".join(between) + chunk(b"IEND") + after


def refused(content: bytes) -> BadImage:
    with pytest.raises(BadImage) as caught:
        pixels.original(content)
    return caught.value


def decoded(content: bytes) -> Image.Image:
    found = Image.open(io.BytesIO(content))
    found.load()
    return found


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    kept = io.BytesIO()
    picture.save(kept, kind, **options)
    return kept.getvalue()


def paper_with_ink(size: tuple[int, int] = (400, 300)) -> Image.Image:
    """Yellowish paper with a red ring, a blue stroke and a black stroke."""
    picture = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((100, 80, 200, 180), outline=RED, width=8)
    draw.line((220, 100, 300, 180), fill=BLUE, width=6)
    draw.line((220, 200, 300, 200), fill=BLACK, width=6)
    return picture


def alpha_at(picture: Image.Image, at: tuple[int, int]) -> int:
    pixel = picture.getpixel(at)
    assert isinstance(pixel, tuple)
    return int(pixel[3])


# --- what is refused


def test_a_file_without_the_signature_of_png_is_refused() -> None:
    assert refused(b"just text").flaw == "not_png"
    assert refused(b"").flaw == "not_png"


def test_a_jpeg_renamed_to_png_is_refused_and_named_a_jpeg() -> None:
    problem = refused(encoded(Image.new("RGB", (20, 20)), "JPEG"))
    assert (problem.flaw, problem.words) == ("not_png", "ảnh JPEG")


def test_a_file_of_more_than_two_megabytes_is_refused() -> None:
    assert refused(SIGNATURE + bytes(png.MOST_BYTES)).flaw == "too_large"


def test_fifty_megabytes_of_zeros_packed_into_a_small_picture_are_refused_without_being_unpacked() -> None:
    packed = made(data=bytes(50 * 1024 * 1024))
    assert len(packed) < 100_000
    tracemalloc.start()
    assert refused(packed).flaw == "bomb"
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2 * 1024 * 1024


def test_a_header_that_claims_a_huge_picture_is_refused_before_pixels_are_looked_at() -> None:
    for width, height in ((65_000, 65_000), (4001, 10), (10, 4001), (2**31 - 1, 1), (0, 16), (16, 0)):
        assert refused(made(head=header(width, height), data=b"")).flaw == "dimensions"


@pytest.mark.parametrize(
    "hidden",
    [b"%PDF-1.7\n1 0 obj", b"PK\x03\x04" + bytes(30), b"<!DOCTYPE html><script>alert(1)</script>", b"\0"],
    ids=["PDF", "ZIP", "HTML", "one byte"],
)
def test_whatever_follows_the_end_of_the_picture_is_refused(hidden: bytes) -> None:
    assert refused(made(after=hidden)).flaw == "hidden"


@pytest.mark.parametrize("hidden", [b"%PDF-1.4", b"PK\x03\x04", b"<HTML>", b"<Script src=//x>"])
def test_a_file_of_another_kind_inside_of_an_unneeded_chunk_is_refused(hidden: bytes) -> None:
    assert refused(made(before=chunk(b"prVt", b"12" + hidden + b"34"))).flaw == "hidden"
    assert refused(made(chunk(b"tEXt", b"Comment\0" + hidden))).flaw == "hidden"


def test_bytes_behind_the_packed_pixels_are_refused() -> None:
    packed = chunk(b"IDAT", zlib.compress(rows()) + b"%PDF-1.7")
    assert refused(SIGNATURE + header() + packed + chunk(b"IEND")).flaw == "hidden"
    more = chunk(b"IDAT", zlib.compress(rows())) + chunk(b"IDAT", b"more")
    assert refused(SIGNATURE + header() + more + chunk(b"IEND")).flaw == "hidden"


def test_a_chunk_with_a_wrong_checksum_is_refused() -> None:
    content = bytearray(made())
    content[len(SIGNATURE) + 8 + 13] ^= 1
    assert refused(bytes(content)).words == "mã kiểm tra trong tệp không khớp"


def test_a_file_that_is_cut_off_anywhere_is_refused() -> None:
    content = made()
    for length in range(len(SIGNATURE), len(content)):
        assert refused(content[:length]).flaw == "damaged", length


def test_too_few_pixels_or_no_packed_data_at_all_are_refused() -> None:
    assert refused(made(data=rows()[:-1])).flaw == "damaged"
    assert refused(SIGNATURE + header() + chunk(b"IDAT", b"not packed") + chunk(b"IEND")).flaw == "damaged"
    assert refused(SIGNATURE + header() + chunk(b"IEND")).flaw == "damaged"


def test_chunks_out_of_order_or_twice_are_refused() -> None:
    data = chunk(b"IDAT", zlib.compress(rows()))
    for content in (
        data + header() + chunk(b"IEND"),
        header() + header() + data + chunk(b"IEND"),
        header() + data + chunk(b"tIME", bytes(7)) + data + chunk(b"IEND"),
        header() + data + chunk(b"PLTE", bytes(3)) + chunk(b"IEND"),
        header() + data + chunk(b"ABCD") + chunk(b"IEND"),
    ):
        assert refused(SIGNATURE + content).flaw == "damaged"


def test_impossible_depths_and_palettes_are_refused() -> None:
    palette = chunk(b"PLTE", bytes(6))
    bits = (b"\0" + bytes(2)) * 16
    for head, before, data in (
        (header(depth=3), b"", rows()),
        (header(colour=5), b"", rows()),
        (header(colour=3, depth=1), b"", bits),
        (header(colour=3, depth=1), chunk(b"PLTE", bytes(9)), bits),
        (header(colour=0, depth=1), palette, bits),
    ):
        assert refused(made(head=head, before=before, data=data)).flaw == "damaged"


def test_an_animated_picture_is_refused() -> None:
    control = chunk(b"acTL", struct.pack(">II", 1, 0))
    assert refused(made(before=control)).flaw == "animated"


def test_thousands_of_empty_chunks_are_refused() -> None:
    assert refused(made(before=chunk(b"prVt") * 6000)).flaw == "damaged"


def test_every_flaw_has_a_refusal_with_words_of_its_own_and_reaches_another_process_whole() -> None:
    refusals = [REFUSALS[flaw] for flaw in png.Flaw.__args__]  # type: ignore[attr-defined]  # a Literal has arguments
    assert len({r.code for r in refusals}) == len({r.cause for r in refusals}) == len({r.title for r in refusals}) == 9
    assert all(CATALOGUE[r.code] is r for r in refusals)
    again = pickle.loads(pickle.dumps(BadImage("not_png", "ảnh JPEG")))
    assert (again.flaw, again.words) == ("not_png", "ảnh JPEG")


# --- what is taken


def test_text_and_other_metadata_do_not_survive() -> None:
    place = b"Comment\0chup tai nha rieng"
    picture = pixels.original(made(chunk(b"tEXt", place), before=chunk(b"eXIf", b"MM\0*gps") + chunk(b"prVt", b"private")))
    assert [word for word in (b"nha rieng", b"gps", b"private", b"tEXt", b"eXIf") if word in picture.content] == []
    assert decoded(picture.content).getpixel((3, 3)) == (16, 32, 48, 255)


def test_sixteen_bits_a_colour_are_taken() -> None:
    content = made(head=header(depth=16), data=rows(pixel=b"\x10\x00\x80\xff\xff\xff"))
    assert decoded(pixels.original(content).content).getpixel((0, 0)) == (16, 128, 255, 255)


def test_sixteen_bits_of_grey_keep_their_shade() -> None:
    content = made(head=header(depth=16, colour=0), data=rows(pixel=b"\x80\x80"))
    assert decoded(pixels.original(content).content).getpixel((0, 0)) == (128, 128, 128, 255)


def test_a_palette_with_transparency_is_taken() -> None:
    before = chunk(b"PLTE", bytes((255, 0, 0, 0, 0, 255))) + chunk(b"tRNS", bytes((0, 255)))
    picture = decoded(pixels.original(made(head=header(depth=8, colour=3), before=before, data=rows(pixel=b"\x01"))).content)
    assert picture.getpixel((0, 0)) == (0, 0, 255, 255)
    nothing = decoded(pixels.original(made(head=header(depth=8, colour=3), before=before, data=rows(pixel=b"\x00"))).content)
    assert alpha_at(nothing, (0, 0)) == 0


def test_grey_of_one_bit_and_an_interlaced_picture_are_taken() -> None:
    grey = decoded(pixels.original(made(head=header(depth=1, colour=0), data=(b"\0" + b"\xaa\xaa") * 16)).content)
    assert [grey.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255, 255), (0, 0, 0, 255)]
    passes = ((2, 2), (2, 2), (4, 2), (4, 4), (8, 4), (8, 8), (16, 8))
    data = b"".join((b"\0" + b"\x10\x20\x30" * width) * height for width, height in passes)
    woven = decoded(pixels.original(made(head=header(interlace=1), data=data)).content)
    assert set(woven.get_flattened_data()) == {(16, 32, 48, 255)}


def test_the_largest_picture_allowed_is_taken_and_kept_smaller() -> None:
    picture = pixels.original(encoded(Image.new("1", (4000, 4000), 1)))
    assert (picture.width, picture.height) == (2400, 2400)


# --- what becomes of it


def test_paper_becomes_transparent_while_red_blue_and_black_ink_stay_as_they_are() -> None:
    kept = pixels.original(encoded(paper_with_ink())).content
    picture = decoded(pixels.edited(kept, Edit(crop=False)).content)
    assert picture.size == (400, 300)
    for place in ((5, 5), (150, 130), (390, 290), (320, 120)):
        assert picture.getpixel(place) == (255, 255, 255, 0), place
    for place, ink in (((103, 130), RED), ((260, 140), BLUE), ((260, 200), BLACK)):
        assert picture.getpixel(place) == (*ink, 255)


def test_a_shadow_across_a_photographed_page_is_paper_too() -> None:
    picture = paper_with_ink()
    shade = Image.linear_gradient("L").resize(picture.size).point([170 + v // 3 for v in range(256)])
    shaded = Image.composite(picture, Image.new("RGB", picture.size), shade)
    result = decoded(pixels.edited(encoded(shaded), Edit(crop=False)).content)
    assert [alpha_at(result, place) for place in ((5, 5), (395, 5), (5, 150), (150, 130), (395, 295))] == [0] * 5
    assert [alpha_at(result, place) for place in ((103, 130), (260, 140), (260, 200))] == [255] * 3


def test_a_higher_threshold_takes_faint_marks_away_with_the_paper() -> None:
    picture = Image.new("RGB", (200, 200), (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    draw.line((20, 60, 180, 60), fill=(165, 165, 165), width=5)
    draw.line((20, 140, 180, 140), fill=BLACK, width=5)
    low, high = (decoded(pixels.edited(encoded(picture), Edit(threshold=t, crop=False)).content) for t in (15, 60))
    assert (alpha_at(low, (100, 60)), alpha_at(low, (100, 140))) == (255, 255)
    assert (alpha_at(high, (100, 60)), alpha_at(high, (100, 140))) == (0, 255)


def test_what_is_transparent_already_stays_so_and_hides_no_colour() -> None:
    picture = paper_with_ink().convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 200, 300))
    picture.paste((*BLUE, 90), (240, 20, 280, 30))
    result = decoded(pixels.edited(encoded(picture), Edit(crop=False)).content)
    assert result.getpixel((103, 130)) == (255, 255, 255, 0)
    assert 0 < alpha_at(result, (260, 25)) <= 90
    assert {p[:3] for p in result.get_flattened_data() if isinstance(p, tuple) and p[3] == 0} == {(255, 255, 255)}


def test_the_crop_closes_around_the_ink_with_a_margin() -> None:
    result = pixels.edited(encoded(paper_with_ink()), Edit())
    # ink from 100 to about 302 and from 80 to about 203, and 4 % of the longer side around it
    assert 212 <= result.width <= 224
    assert 132 <= result.height <= 144
    assert decoded(result.content).getpixel((8 + 103 - 100, 8 + 130 - 80)) == (*RED, 255)


def test_four_numbers_cut_off_exactly_as_many_pixels() -> None:
    kept = encoded(paper_with_ink())
    result = pixels.edited(kept, Edit(background=False, crop=False, trims=(100, 80, 50, 20)))
    assert (result.width, result.height) == (250, 200)
    assert decoded(result.content).getpixel((3, 50)) == (*RED, 255)
    for trims in ((200, 0, 200, 0), (0, 295, 0, 0), (-1, 0, 0, 0), (5000, 0, 0, 0)):
        with pytest.raises(BadImage) as caught:
            pixels.edited(kept, Edit(trims=trims))
        assert (caught.value.flaw, caught.value.words) == ("crop", "400 × 300")


def test_a_page_without_ink_is_refused() -> None:
    for edit in (Edit(), Edit(crop=False), Edit(background=False)):
        with pytest.raises(BadImage, match="no_ink"):
            pixels.edited(encoded(Image.new("RGB", (100, 100), PAPER)), edit)


def test_the_result_is_a_picture_that_would_be_taken_again_and_no_longer_than_its_limit() -> None:
    wide = paper_with_ink().resize((2400, 1800))
    result = pixels.edited(encoded(wide), Edit(background=False, crop=False, trims=(0, 0, 0, 0)))
    assert (result.width, result.height) == (1200, 900)
    assert png.checked(result.content)[0].colour == 6
    assert pixels.original(result.content) == result


def test_on_the_sample_the_seal_covers_a_third_of_the_signature_on_its_left() -> None:
    seal, signature = Image.new("RGBA", (300, 300), (*RED, 255)), Image.new("RGBA", (270, 130), (*BLUE, 255))
    page = decoded(pixels.sample_of_signature(encoded(signature), pixels.AS_IS, encoded(seal)))
    middle = page.height // 2
    colours = [page.getpixel((x, middle)) for x in range(page.width)]
    red = [x for x, colour in enumerate(colours) if colour == (*RED, 255)]
    blue = [x for x, colour in enumerate(colours) if colour == (*BLUE, 255)]
    assert max(red) + 1 == min(blue)
    assert len(blue) == 270 - 270 // 3
    alone = decoded(pixels.sample_of_signature(encoded(signature), pixels.AS_IS, None))
    assert sum(alone.getpixel((x, middle)) == (*BLUE, 255) for x in range(alone.width)) == 270
    with_stand_in = decoded(pixels.sample_of_seal(encoded(seal), pixels.AS_IS))
    assert with_stand_in.getpixel((max(red) - 10, middle)) == (*RED, 255)


def test_the_preview_shows_squares_where_the_picture_is_transparent() -> None:
    shown = decoded(pixels.preview(encoded(paper_with_ink()), Edit(crop=False)))
    assert {shown.getpixel((x, 5)) for x in range(100)} == {(255, 255, 255, 255), (222, 226, 230, 255)}
    assert shown.getpixel((260, 140)) == (*BLUE, 255)
