"""Packages and their offline checker: every byte counts, and anybody can check them with other people's tools."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from services.records.archive import checker
from services.records.archive.checker import Bad, Checked, Entry, central_directory, local_header
from services.records.archive.download import Unsatisfiable, range_of, slices
from services.records.archive.packing import closing, whole, written
from services.records.archive.plan import folders, safe
from services.records.archive.readme import CHECKER, texts, tools
from tests.unit.records.sealed_transcripts import Installation, changed

FILES = [("hoc-ba/5A/a.pdf", b"%PDF-1.7 one"), ("hoc-ba/5A/a.xml", b"<HocBa/>"), ("empty.txt", b"")]
TOLD = {"id": "p1", "kind": "archive", "school": {"code": "31300001", "name": "Trường"}, "made_at": "2026-08-20T09:00:00+07:00"}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def small(installation: Installation) -> bytes:
    return whole(FILES, TOLD, installation.seal.over)


@pytest.fixture(scope="module")
def full(installation: Installation) -> bytes:
    """With what lies beside the documents."""
    beside = [*texts("Gói lưu trữ", [("Trường", "<An Hồng>")], installation.der), *tools()]
    return whole([*FILES, *beside], TOLD, installation.seal.over)


def checked(package: bytes) -> Checked:
    return checker.check(io.BytesIO(package))


def refused(package: bytes) -> Bad:
    with pytest.raises(Bad) as caught:
        checked(package)
    return caught.value


def run(*arguments: str) -> tuple[int, str]:
    """A Python without this project and without any library."""
    done = subprocess.run([sys.executable, "-I", "-S", *arguments], capture_output=True, check=False, timeout=60)
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def test_a_whole_package_is_sound_and_names_who_sealed_it(small: bytes, installation: Installation) -> None:
    found = checked(small)
    assert [e.name for e in found.entries] == [*(name for name, _ in FILES), "SHA256SUMS", "manifest.json", "manifest.jws"]
    assert found.certificate == installation.der
    assert found.manifest["files"] == 3
    assert found.manifest["kind"] == "archive"


def test_no_byte_of_a_package_can_change_unnoticed(small: bytes) -> None:
    # the seal's own bytes each cost a verification, so only some of them are tried
    seal = next(e for e in checked(small).entries if e.name == "manifest.jws")
    inside = range(seal.content_at, seal.content_at + seal.size)
    unnoticed, told = [], set()
    for at in range(len(small)):
        if at in inside and at % 11:
            continue
        try:
            checked(changed(small, at))
            unnoticed.append(at)
        except Bad as bad:
            told.add(bool(bad.name and bad.reason))
    assert unnoticed == []
    assert told == {True}


def test_a_package_cut_short_or_with_something_behind_it_is_not_sound(small: bytes) -> None:
    assert [length for length in range(0, len(small), 37) if not refused(small[:length]).reason] == []
    with zipfile.ZipFile(io.BytesIO(small)) as archive:
        assert archive.testzip() is None


def test_the_first_file_that_is_wrong_is_named(small: bytes) -> None:
    entry = checked(small).entries[1]
    assert refused(changed(small, entry.content_at)).name == "hoc-ba/5A/a.xml"


def test_a_file_changed_together_with_its_checksums_is_found_by_the_list(installation: Installation) -> None:
    honest = [written(name, content, 0)[1] for name, content in FILES]
    body, entries, offset = b"", [], 0
    for name, content in [FILES[0], (FILES[1][0], b"<Forged/>"), FILES[2]]:
        piece, one = written(name, content, offset)
        body, offset = body + piece, offset + len(piece)
        entries.append(one)
    relisted = [type(one)(one.entry, old.sha256) for one, old in zip(entries, honest, strict=True)]
    forged = body + closing(relisted, TOLD, offset, installation.seal.over)[0]
    assert refused(forged).name == "hoc-ba/5A/a.xml"


def test_a_manifest_sealed_by_nobody_is_not_sound(small: bytes, installation: Installation) -> None:
    stranger = Installation(installation.folder / "stranger")
    seal = installation.seal.over(b"something else")
    assert refused(whole(FILES, TOLD, lambda _: seal)).name == "manifest.jws"
    assert checked(whole(FILES, TOLD, stranger.seal.over)).certificate != installation.der


@pytest.mark.parametrize("name", ["../a", "/etc/a", "a/../b", "a\\b", "a//b", ".a", "a/", "C:a", "ả.pdf", "", "a" * 200, "a\nb"])
def test_a_name_that_could_lead_elsewhere_is_refused(name: str, installation: Installation) -> None:
    assert refused(whole([(name, b"x")], TOLD, installation.seal.over)).reason


def test_a_name_that_comes_twice_is_refused_whatever_its_case(installation: Installation) -> None:
    assert refused(whole([("a.pdf", b"1"), ("A.pdf", b"2")], TOLD, installation.seal.over)).name == "A.pdf"


def test_a_package_larger_than_allowed_is_refused_before_it_is_read(small: bytes) -> None:
    with pytest.raises(Bad):
        checker.check(io.BytesIO(small), most_entries=2)
    with pytest.raises(Bad):
        checker.check(io.BytesIO(small), most_bytes=60)


def test_other_programs_open_and_check_the_package(full: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(full)) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    assert (tmp_path / "hoc-ba/5A/a.pdf").read_bytes() == FILES[0][1]
    done = subprocess.run(["sha256sum", "--strict", "--check", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "&lt;An Hồng&gt;" in (tmp_path / "DOC-TRUOC.html").read_text(encoding="utf-8")


def test_the_seal_is_a_jws_that_another_library_verifies(small: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(small)) as archive:
        manifest, seal = archive.read("manifest.json"), archive.read("manifest.jws").decode()
        sums = archive.read("SHA256SUMS")
    protected, payload, value = seal.split(".")
    assert payload == ""
    header = json.loads(base64.urlsafe_b64decode(protected + "=="))
    raw = base64.urlsafe_b64decode(value + "==")
    key = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0])).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.verify(signature, protected.encode() + b"." + manifest, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(signature, protected.encode() + b"." + manifest + b" ", ec.ECDSA(hashes.SHA256()))
    assert json.loads(manifest)["sums"] == hashlib.sha256(sums).hexdigest()


def test_anybody_with_python_alone_can_check_a_package(full: bytes, installation: Installation, tmp_path: Path) -> None:
    package, program, published = tmp_path / "goi.zip", tmp_path / "kiem_tra.py", tmp_path / "niem-phong.pem"
    package.write_bytes(full)
    published.write_bytes(installation.certificate.public_bytes(Encoding.PEM))
    with zipfile.ZipFile(package) as archive:
        program.write_bytes(archive.read("kiem_tra.py"))
    for command in ([str(program), str(package), "--chung-thu", str(published)], [str(package)]):
        code, said = run(*command)
        assert code == 0, said
        assert "tất cả khớp" in said
        assert "Niêm phong đúng" in said
        assert "chưa kiểm tra được (máy không có pyhanko)" in said
    assert program.read_bytes() == CHECKER.read_bytes()


def test_the_checker_fails_on_one_changed_byte_and_names_the_file(full: bytes, tmp_path: Path) -> None:
    entry = checked(full).entries[0]
    package = tmp_path / "goi.zip"
    package.write_bytes(changed(full, entry.content_at + 3))
    code, said = run(str(CHECKER), str(package))
    assert code == 1
    assert said.startswith("SAI: hoc-ba/5A/a.pdf:")


def test_the_checker_fails_on_a_seal_other_than_the_published_one(full: bytes, tmp_path: Path) -> None:
    stranger = Installation(tmp_path / "stranger")
    package, published = tmp_path / "goi.zip", tmp_path / "khac.pem"
    package.write_bytes(full)
    published.write_bytes(stranger.certificate.public_bytes(Encoding.PEM))
    code, said = run(str(CHECKER), str(package), "--chung-thu", str(published))
    assert code == 1
    assert "không phải chứng thư đã công bố" in said


def test_packages_beyond_four_gigabytes_are_read_by_other_programs(tmp_path: Path) -> None:
    far = 5 << 30
    entries = [Entry("a.txt", 1, 0xE8B7BE43, 0), Entry("b.txt", 1, 0x71BEEFF9, far)]
    path = tmp_path / "large.zip"
    with path.open("wb") as file:  # sparse: the hole takes no room
        for entry, content in zip(entries, (b"a", b"b"), strict=True):
            file.seek(entry.offset)
            file.write(local_header(entry.name, 1, entry.crc) + content)
        file.write(central_directory(entries, file.tell()))
    with zipfile.ZipFile(path) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [b"a", b"b"]


def test_packages_of_very_many_files_are_read_by_other_programs() -> None:
    entries, body = [], io.BytesIO()
    for number in range(70_000):
        name = f"{number}.txt"
        entries.append(Entry(name, 0, 0, body.tell()))
        body.write(local_header(name, 0, 0))
    body.write(central_directory(entries, body.tell()))
    with zipfile.ZipFile(body) as archive:
        assert len(archive.namelist()) == 70_000
        assert archive.read("69999.txt") == b""


@settings(max_examples=8, deadline=None)
@given(message=st.binary(max_size=200))
def test_the_own_verification_agrees_with_that_of_a_library(message: bytes) -> None:
    key = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    value = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert checker._p256_verifies((numbers.x, numbers.y), message, value)
    assert not checker._p256_verifies((numbers.x, numbers.y), message + b"x", value)
    assert not checker._p256_verifies((numbers.x, numbers.y), message, bytes(64))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-", (10, 100)),
        ("bytes=-5", (95, 100)),
        ("bytes=90-200", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=5-3", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=-", None),
    ],
)
def test_a_range_is_what_it_asks_for_or_the_whole(asked: str | None, expected: tuple[int, int] | None) -> None:
    assert range_of(asked, 100) == expected


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=500-600", "bytes=-0"])
def test_a_range_beyond_the_end_cannot_be_given(asked: str) -> None:
    with pytest.raises(Unsatisfiable):
        range_of(asked, 100)


@settings(max_examples=50, deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6), data=st.data())
def test_slices_of_the_parts_are_the_bytes_asked_for(sizes: list[int], data: st.DataObject) -> None:
    whole_body = bytes(range(sum(sizes)))
    first = data.draw(st.integers(0, len(whole_body) - 1))
    beyond = data.draw(st.integers(first + 1, len(whole_body)))
    parts, start = [], 0
    for size in sizes:
        parts.append(whole_body[start : start + size])
        start += size
    assert b"".join(parts[n][low:high] for n, low, high in slices(sizes, first, beyond)) == whole_body[first:beyond]


def test_every_class_gets_a_folder_of_its_own_that_can_be_a_name() -> None:
    found = folders(["5A", "5a", "Lớp Đặc biệt/1", "..", "5A "])
    assert len({name.lower() for name in found.values()}) == 5
    assert all(checker.NAME.fullmatch(f"hoc-ba/{name}/x.pdf") for name in found.values())
    assert safe("Lớp Đặc biệt/1") == "Lop-Dac-biet-1"
