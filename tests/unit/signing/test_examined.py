"""Whatever somebody brings is called what it is: separate verdicts, and "chưa kiểm tra được" where nobody could tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from PIL import Image
from pyhanko.pdf_utils.embed import EmbeddedFileObject, FileSpec, embed_file
from pyhanko.pdf_utils.generic import ArrayObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign.timestamps import TimeStamper

from infra.sandbox.pki.stamping import stamp
from services.means.judging.__main__ import main
from services.means.judging.examined import ORIGINAL, Examined, examine
from services.means.judging.recognise import NotADocument, form_of
from tests.unit.signing import attacks_pdf, pki
from tests.unit.signing.pki import Party
from tests.unit.signing.sealed import NOW, YEAR, Sandbox

SOON, LATER = NOW + timedelta(minutes=30), NOW + 2 * YEAR
SEAL = "KY_PHAT_HANH"


def judged(sandbox: Sandbox, document: bytes, at: object = SOON) -> Examined:
    return examine(document, sandbox.roots, at)  # type: ignore[arg-type] # always one of the moments above


def states(found: Examined) -> tuple[str, str, str]:
    return found.integrity.state, found.trust.state, found.time.state


@pytest.mark.parametrize("kind", ["xml", "pdf"])
def test_a_sealed_transcript_passes_now_and_when_its_certificates_have_ended(kind: str, sandbox: Sandbox) -> None:
    document = sandbox.sealed_xml() if kind == "xml" else sandbox.sealed_pdf()

    for at in (SOON, LATER):
        found = judged(sandbox, document, at)
        assert states(found) == ("passed", "passed", "passed")
        assert (found.kind, found.form, found.state) == ("transcript", kind, "passed")
        assert found.signers[-1].name == "Trường Tiểu học An Hồng"


@pytest.mark.parametrize("make", [Sandbox.signed_xml, Sandbox.signed_pdf], ids=["xml", "pdf"])
def test_an_expired_chain_without_timestamp_is_unchecked_and_no_forgery(make: Callable[[Sandbox], bytes], sandbox: Sandbox) -> None:
    found = judged(sandbox, make(sandbox), LATER)

    assert states(found) == ("passed", "unchecked", "unchecked")
    assert "hết hạn" in found.trust.text


class Stamps(TimeStamper):
    """The sandbox's authority without its HTTP face."""

    def __init__(self, sandbox: Sandbox, *, damaged: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
        self._sandbox, self._damaged = sandbox, damaged

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return tsp.TimeStampResp.load(stamp(req.dump(), self._sandbox.house.stamper, damaged=self._damaged))


def test_a_strangers_expired_chain_is_trusted_with_a_timestamp_and_unchecked_without(sandbox: Sandbox) -> None:
    who, after = sandbox.party("Nguyễn Thị Lạ", "031180000077", days=3), NOW + timedelta(days=30)
    bare, stamped = (attacks_pdf.signed(attacks_pdf.plain(), who, by) for by in (None, Stamps(sandbox)))
    lists = [*sandbox.crls]

    without = examine(bare, sandbox.roots, after, lists)
    proven = examine(stamped, sandbox.roots, after, lists)

    assert states(without) == ("passed", "unchecked", "unchecked")
    assert (proven.integrity.state, proven.time.state) == ("passed", "passed")
    assert "hết hạn" in without.trust.text
    assert "hết hạn" not in proven.trust.text


def test_a_self_signed_copy_of_the_schools_certificate_is_called_self_signed(sandbox: Sandbox) -> None:
    real = x509.load_der_x509_certificate(sandbox.people[SEAL].der)
    own = pki.key("rsa2048#forger")
    copy = pki.certificate(real.subject, own, real.subject, own, start=NOW - timedelta(days=9), end=NOW + YEAR)
    forger = sandbox.with_people({SEAL: Party(own, copy, ())})

    for document in (forger.signed_xml(), forger.signed_pdf()):
        found = judged(sandbox, document)
        seal = next(one for one in found.signers if one.place == SEAL)
        assert seal.name == "Trường Tiểu học An Hồng"
        assert (seal.integrity.state, seal.trust.state, seal.state) == ("passed", "failed", "failed")
        assert "tự ký" in seal.trust.text
        assert found.state == "failed"


def test_the_schools_name_certified_by_a_stranger_is_not_trusted(sandbox: Sandbox, stranger: Sandbox) -> None:
    found = judged(sandbox, stranger.sealed_pdf())

    assert (found.integrity.state, found.trust.state, found.state) == ("passed", "failed", "failed")


@pytest.mark.parametrize("kind", ["xml", "pdf"])
def test_a_revoked_signer_is_called_revoked(kind: str, tmp_path: Path) -> None:
    own = Sandbox.open(tmp_path)
    own.revoke(own.people["CBQL"].der, NOW - timedelta(hours=1))

    found = judged(own, own.sealed_xml() if kind == "xml" else own.sealed_pdf())

    assert (found.integrity.state, found.trust.state) == ("passed", "failed")
    assert "thu hồi" in next(one for one in found.signers if one.place == "CBQL").trust.text


def test_an_update_after_the_last_signature_is_called_an_addition(sandbox: Sandbox, sealed_pdf: bytes) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(sealed_pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    page[pdf_name("/Contents")] = writer.root["/Pages"]["/Kids"][1]["/Contents"]
    writer.update_container(page)
    output = BytesIO()
    writer.write(output)  # type: ignore[no-untyped-call] # pyHanko leaves it untyped

    found = judged(sandbox, output.getvalue())

    assert found.integrity.state == "failed"
    assert "thêm nội dung" in found.integrity.text


def test_a_transcript_without_the_schools_signature_lacks_it(sandbox: Sandbox) -> None:
    found = judged(sandbox, pki.transcript_xml())

    assert (found.integrity.state, found.signers) == ("failed", ())
    assert "thiếu chữ ký phát hành" in found.integrity.text


@pytest.mark.parametrize(
    ("own", "state"), [("<MaSoThue>0200000001</MaSoThue>", "passed"), ("<MaSoThue>0200000002</MaSoThue>", "failed")], ids=["own", "other"]
)
def test_a_transcript_sealed_by_another_school_is_not_that_schools(own: str, state: str, sandbox: Sandbox) -> None:
    head, tail = pki.transcript_xml().split(b"<Mon ", 1)
    document = head + f"<NhaTruong>{own}</NhaTruong>".encode() + b"<Mon " + tail
    for place in ("GVBM-GV01", "GVBM-GV02", "GVCN", "CBQL"):
        document = sandbox.sign_xml(document, place, ["nd"])

    found = judged(sandbox, sandbox.sealed_xml(sandbox.sign_xml(document, SEAL, ("",))))

    assert found.integrity.state == state


def test_a_file_without_signatures_is_unchecked(sandbox: Sandbox) -> None:
    for document in (attacks_pdf.plain(), b"<a/>"):
        assert states(judged(sandbox, document)) == ("unchecked", "unchecked", "unchecked")


def test_an_encrypted_pdf_is_unchecked_and_says_why(sandbox: Sandbox) -> None:
    writer = copy_into_new_writer(PdfFileReader(BytesIO(attacks_pdf.plain())))
    writer.encrypt(owner_pass="mật", user_pass="khẩu")  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
    output = BytesIO()
    writer.write(output)  # type: ignore[no-untyped-call] # the same

    found = judged(sandbox, output.getvalue())

    assert (found.integrity.state, found.state) == ("unchecked", "unchecked")
    assert "mật khẩu" in found.integrity.text


def image() -> bytes:
    output = BytesIO()
    Image.new("RGB", (9, 9)).save(output, "PNG")
    return output.getvalue()


@pytest.mark.parametrize(
    ("content", "what"),
    [(image(), "ảnh PNG"), (b"PK\x03\x04" + bytes(99), "tệp nén ZIP"), (b"", "tệp trống"), (b"xin", "không rõ"), (b"MZ", "chương trình")],
)
def test_what_is_no_document_is_named_by_its_content_whatever_it_is_called(content: bytes, what: str) -> None:
    with pytest.raises(NotADocument) as problem:
        form_of(content)
    assert what in problem.value.what


@pytest.mark.parametrize("content", [b"%PDF-1.7\n%%EOF\n", b"%PDF-1.7" + bytes(500), b"%PDF-" + image()])
def test_a_file_that_only_begins_like_a_pdf_is_called_broken(content: bytes, sandbox: Sandbox) -> None:
    assert judged(sandbox, content).integrity.state == "failed"


def copy_of(original: bytes) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(attacks_pdf.plain()))
    held = EmbeddedFileObject.from_file_data(writer, data=original, mime_type="application/pdf")
    embed_file(writer, FileSpec(file_spec_string=ORIGINAL, file_name=ORIGINAL, embedded_data=held))
    names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
    writer.root[pdf_name("/AF")] = ArrayObject([names.raw_get(1)])
    writer.update_root()  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
    output = BytesIO()
    writer.write(output)  # type: ignore[no-untyped-call] # the same
    return output.getvalue()


def test_a_certified_copy_is_judged_by_the_original_inside_it(sandbox: Sandbox, sealed_pdf: bytes) -> None:
    found, direct = judged(sandbox, copy_of(sealed_pdf)), judged(sandbox, sealed_pdf)

    assert found.copy_of_original
    assert found.model_copy(update={"copy_of_original": False}) == direct


def test_a_copy_inside_a_copy_is_not_followed(sandbox: Sandbox, sealed_pdf: bytes) -> None:
    assert judged(sandbox, copy_of(copy_of(sealed_pdf))).integrity.state == "unchecked"


# the command


@pytest.fixture
def roots(tmp_path: Path, sandbox: Sandbox) -> Path:
    folder = tmp_path / "roots"
    folder.mkdir()
    for number, der in enumerate(sandbox.roots):
        (folder / f"{number}.pem").write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    return folder


def test_the_command_tells_each_verdict_and_what_it_cannot_check(
    roots: Path, tmp_path: Path, sealed_pdf: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "hoc-ba.pdf"
    file.write_bytes(sealed_pdf)

    assert main(["--goc", str(roots), str(file)]) == 0
    told = capsys.readouterr().out
    assert "Tính toàn vẹn: ĐẠT" in told
    assert "Tình trạng tại nguồn: CHƯA KIỂM TRA ĐƯỢC" in told
    assert "Trường Tiểu học An Hồng" in told


def test_the_command_ends_with_one_for_a_broken_file_and_two_for_what_it_cannot_tell(
    roots: Path, tmp_path: Path, sealed_xml: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, unsigned, picture = tmp_path / "a.xml", tmp_path / "b.pdf", tmp_path / "c.pdf"
    broken.write_bytes(sealed_xml.replace(b"<Diem>3</Diem>", b"<Diem>9</Diem>", 1))
    unsigned.write_bytes(attacks_pdf.plain())
    picture.write_bytes(image())

    assert main(["--goc", str(roots), "--json", str(unsigned)]) == 2
    assert main(["--goc", str(roots), "--json", str(unsigned), str(broken), str(picture)]) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["state"] for one in told] == ["unchecked", "unchecked", "failed", "failed"]
    assert told[1]["at_source"]["state"] == "unchecked"
    assert "ảnh PNG" in told[3]["text"]


def test_the_command_without_trusted_roots_judges_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--goc", str(tmp_path), str(tmp_path / "x.pdf")])
    assert ended.value.code == 2
    assert "chứng thư số gốc" in capsys.readouterr().err
