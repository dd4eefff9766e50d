"""The zip of "Xuất dữ liệu": names that every file system takes, and bytes that leave as soon as they are made."""

from __future__ import annotations

import datetime as dt
import io
import os
import subprocess
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from services.records.dossier.certificates import certificates_of, told
from services.records.export.exporting import EXPORTABLE
from services.records.export.naming import LONGEST, Names, folder, safe, stem
from services.records.export.zipping import zipped
from services.records.transcripts.states import State
from tests.unit.signing import chain

AT = dt.datetime(2026, 5, 28, 17, 30, tzinfo=dt.UTC)


async def sent(files: list[tuple[str, bytes]]) -> list[bytes]:
    async def each() -> AsyncIterator[tuple[str, bytes]]:
        for name, content in files:
            yield name, content

    return [part async for part in zipped(each(), AT)]


def unzipped(content: bytes, folder: Path, names: list[str]) -> dict[str, bytes]:
    """As Info-ZIP unpacks it."""
    (folder / "a.zip").write_bytes(content)
    subprocess.run(["unzip", "-q", "a.zip", "-d", "out"], cwd=folder, check=True)
    return {name: (folder / "out" / name).read_bytes() for name in names}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Nguyễn Thị Đào", "nguyen-thi-dao"),
        ("Nguye\u0302\u0303n", "nguyen"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\con", "c-con"),
        ("☃ \u202e\u200b", "x"),
    ],
)
def test_a_name_becomes_plain_letters_and_never_a_path(text: str, name: str) -> None:
    assert safe(text) == name


@given(st.text())
def test_no_text_gives_a_name_that_a_file_system_refuses(text: str) -> None:
    name = safe(text)
    assert name
    assert len(name) <= LONGEST
    assert name.isascii()
    assert not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_the_same_wish_twice_gives_two_names_that_tell_apart_everywhere() -> None:
    names = Names()
    assert [names.take("lop-5a/an-1-v1", ".pdf") for _ in range(3)] == [
        "lop-5a/an-1-v1.pdf",
        "lop-5a/an-1-v1-2.pdf",
        "lop-5a/an-1-v1-3.pdf",
    ]
    assert names.take("lop-5a/an-1-v1", ".xml") == "lop-5a/an-1-v1.xml"
    assert folder("2025-2026", "5A") == "2025-2026/lop-5a"
    assert stem("Trần Ước", "312500199001", 2) == "tran-uoc-312500199001-v2"


async def test_the_zip_is_readable_by_python_and_by_unzip_with_every_byte(tmp_path: Path) -> None:
    files = [("2025-2026/lop-5a/a.pdf", os.urandom(70_000)), ("empty.txt", b""), ("manifest.json", b"{}" * 50_000)]
    content = b"".join(await sent(files))
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    assert [(name, archive.read(name)) for name in archive.namelist()] == files
    assert {info.date_time for info in archive.infolist()} == {(2026, 5, 29, 0, 30, 0)}
    assert unzipped(content, tmp_path, [name for name, _ in files]) == dict(files)


async def test_every_file_leaves_before_the_next_one_is_asked_for() -> None:
    asked: list[int] = []

    async def each() -> AsyncIterator[tuple[str, bytes]]:
        for number in range(50):
            asked.append(number)
            yield f"{number}.bin", os.urandom(20_000)

    parts = [(len(part), len(asked)) async for part in zipped(each(), AT)]
    assert [count for _, count in parts[:50]] == list(range(1, 51))
    assert all(20_000 < size < 21_000 for size, _ in parts[:50]), "nothing of one file waits for another"
    assert sum(size for size, _ in parts[50:]) < 50 * 200, "the directory at the end"


def test_the_certificates_in_a_signed_document_are_the_signers_own_in_their_order() -> None:
    found = certificates_of(chain.signed_xml())
    assert [(c.place, c.der) for c in found] == [(place, party.der) for place, party in chain.people().items()]
    oracle = x509.load_der_x509_certificate(found[0].der)
    assert told(found[0]) == {
        "subject": "Trần Thị Toán",
        "issuer": oracle.issuer.rfc4514_string().split("CN=")[1].split(",")[0],
        "serial": f"{oracle.serial_number:X}",
        "valid_from": oracle.not_valid_before_utc,
        "valid_to": oracle.not_valid_after_utc,
        "sha256": found[0].fingerprint,
    }


def test_an_unsigned_document_has_no_certificates_and_what_is_no_document_is_refused() -> None:
    assert certificates_of(b'<HocBa xmlns="urn:hocba:transcript:1"><NoiDung Id="nd"/><ChuKy Id="ck"/></HocBa>') == []
    with pytest.raises(ValueError, match="Start tag"):
        certificates_of(b"no xml")
    entity = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a><ChuKy>&x;</ChuKy></a>'
    assert certificates_of(entity) == []


def test_only_what_waits_for_signatures_or_has_them_is_exported() -> None:
    assert set(State) - EXPORTABLE == {State.NOT_CREATED, State.RETURNED, State.CANCELLED}
