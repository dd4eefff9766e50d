"""Scans of paper transcripts: what is taken and what is not, by content alone."""

from __future__ import annotations

import io
import zlib

import pytest
from PIL import Image
from pyhanko.pdf_utils.generic import NullObject
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PdfFileWriter, copy_into_new_writer

from services.records.digitisation.scan import MOST_BYTES, MOST_PAGES, Scan, Unusable, scan_of


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 420), **more: object) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", size, "white").save(kept, kind, **more)
    return kept.getvalue()


def bound(pages: int = 2) -> bytes:
    found = scan_of([picture() for _ in range(pages)])
    assert isinstance(found, Scan)
    return found.content


def refused(*files: bytes) -> str:
    found = scan_of(files)
    assert isinstance(found, Unusable), "it was taken"
    return found.reason


def encrypted() -> bytes:
    writer: PdfFileWriter = copy_into_new_writer(PdfFileReader(io.BytesIO(bound())))
    writer.encrypt("owner", "user")  # type: ignore[no-untyped-call]  # pyHanko types only parts of itself
    kept = io.BytesIO()
    writer.write(kept)  # type: ignore[no-untyped-call]  # pyHanko types only parts of itself
    return kept.getvalue()


def test_a_pdf_is_kept_byte_for_byte_with_the_number_of_its_pages() -> None:
    content = bound(3)
    assert scan_of([content]) == Scan(content, 3)


def test_pictures_are_bound_in_their_order_and_hold_nothing_but_what_is_seen() -> None:
    exif = Image.Exif()
    exif[0x010E] = "GPS of somebody's home"
    found = scan_of([picture("JPEG", exif=exif), picture("PNG", (420, 300))])
    assert isinstance(found, Scan)
    assert found.pages == 2
    assert b"GPS" not in found.content
    boxes = [PdfFileReader(io.BytesIO(found.content)).root["/Pages"]["/Kids"][n]["/MediaBox"] for n in (0, 1)]
    assert [box[2] < box[3] for box in boxes] == [True, False]


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"%PDF-1.7\nnothing", b"PK\x03\x04", picture()[:80], b"<svg/>", b"\xff\xd8\xff\xd9"])
def test_what_is_no_pdf_or_picture_of_a_page_is_refused_whatever_its_name(content: bytes) -> None:
    assert refused(content)


def test_no_file_at_all_and_too_many_pages_are_refused() -> None:
    assert refused() == "chưa chọn tệp"
    assert "trang" in refused(*[picture()] * (MOST_PAGES + 1))


def test_more_than_twenty_megabytes_are_refused_before_they_are_read() -> None:
    assert refused(b"%PDF-" + bytes(MOST_BYTES)) == "lớn hơn 20 MB"


def test_a_pdf_with_a_password_is_refused() -> None:
    assert "mật khẩu" in refused(encrypted())


@pytest.mark.parametrize("active", [b"/JavaScript (app.alert)", b"/JS(1)", b"/Launch <<>>", b"/EmbeddedFile /X", b"/RichMedia<<"])
def test_a_pdf_that_would_run_or_carry_something_is_refused(active: bytes) -> None:
    content = bound()
    assert "mã lệnh" in refused(content.replace(b"%%EOF", b"% " + active + b"\n%%EOF"))


def test_a_pdf_whose_packed_objects_swell_is_refused_unopened() -> None:
    bomb = zlib.compress(bytes(200_000_000), 9)
    head = b"%PDF-1.7\n1 0 obj\n<</Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length "
    content = head + str(len(bomb)).encode() + b">>\nstream\n" + bomb + b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n"
    assert len(content) < 300_000
    assert "nén quá mức" in refused(content)


def test_a_picture_of_too_many_pixels_is_refused_undecoded() -> None:
    bomb = io.BytesIO()
    Image.new("1", (40_000, 40_000)).save(bomb, "PNG")
    assert len(bomb.getvalue()) < 1_000_000
    assert "tệp thứ 1" in refused(bomb.getvalue())


def test_a_pdf_beside_pictures_and_two_pdfs_are_refused() -> None:
    content = bound()
    assert refused(content, content)
    assert "tệp thứ 2" in refused(picture(), content)


def test_a_pdf_without_pages_or_with_a_loop_among_them_is_refused() -> None:
    writer: PdfFileWriter = copy_into_new_writer(PdfFileReader(io.BytesIO(bound())))
    writer.root["/Pages"]["/Count"] = NullObject()
    kept = io.BytesIO()
    writer.write(kept)  # type: ignore[no-untyped-call]  # pyHanko types only parts of itself
    assert refused(kept.getvalue())
