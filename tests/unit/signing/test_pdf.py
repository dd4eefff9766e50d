import subprocess
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from services.means import x509
from services.signing import pdf
from services.signing.xml import UnsuitableDocument
from tests.unit.signing import chain, pki


def judged_by_pdfsig(document: bytes, folder: Path) -> list[str]:
    file = folder / "transcript.pdf"
    file.write_bytes(document)
    report = subprocess.run(["pdfsig", "-nocert", str(file)], check=False, capture_output=True, text=True).stdout
    return [line.split(":", 1)[1].strip() for line in report.splitlines() if "Signature Validation" in line]


@pytest.mark.parametrize("visible", [False, True])
def test_pdfsig_accepts_the_three_signatures(visible: bool, tmp_path: Path) -> None:
    assert judged_by_pdfsig(chain.signed_pdf(visible=visible), tmp_path) == ["Signature is Valid."] * 3


def test_pdfsig_refuses_a_changed_byte(tmp_path: Path) -> None:
    changed = chain.signed_pdf().replace(b"/Title", b"/Titel", 1)

    assert judged_by_pdfsig(changed, tmp_path) == ["Digest Mismatch."] * 3


def test_the_signed_file_is_the_base_followed_by_the_kept_revision() -> None:
    base = pki.transcript_pdf()
    prepared = chain.prepare_pdf(base, "GVCN")

    signed = chain.finish_pdf(base, prepared)

    assert signed.startswith(base)
    assert len(signed) == len(base) + len(prepared.revision)
    assert signed[: prepared.reserved_start + 1] == (base + prepared.revision)[: prepared.reserved_start + 1]
    assert signed[prepared.reserved_end - 1 :] == (base + prepared.revision)[prepared.reserved_end - 1 :]


def test_an_rsa_signature_leaves_no_room_unused() -> None:
    base = pki.transcript_pdf()
    prepared = chain.prepare_pdf(base, "GVCN")

    contents = chain.finish_pdf(base, prepared)[prepared.reserved_start + 1 : prepared.reserved_end - 1]

    encoded = bytes.fromhex(contents.decode())
    assert len(encoded) == int.from_bytes(encoded[2:4], "big") + 4


def test_the_first_signature_certifies_and_allows_only_form_filling() -> None:
    first, second, third = PdfFileReader(BytesIO(chain.signed_pdf())).embedded_signatures

    assert first.sig_object["/Reference"][0]["/TransformMethod"] == "/DocMDP"
    assert first.docmdp_level.value == 2
    assert "/Reference" not in second.sig_object
    assert "/Reference" not in third.sig_object


def test_name_role_and_time_stand_in_the_signature_dictionary() -> None:
    first = PdfFileReader(BytesIO(chain.signed_pdf())).embedded_signatures[0]

    assert first.sig_object["/Name"] == "Tên người ký"
    assert first.sig_object["/Reason"] == "Giáo viên chủ nhiệm"
    assert first.self_reported_timestamp == pki.AT
    assert first.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"


def test_the_appearance_that_was_placed_and_the_metadata_stay() -> None:
    def placed(document: bytes) -> list[bytes]:
        reader = PdfFileReader(BytesIO(document))
        return [field.get_object()["/AP"]["/N"].data for field in reader.root["/AcroForm"]["/Fields"]]

    def metadata(document: bytes) -> bytes:
        data: bytes = PdfFileReader(BytesIO(document)).root["/Metadata"].data
        return data

    base, signed = pki.transcript_pdf(visible=True), chain.signed_pdf(visible=True)

    assert placed(signed) == placed(base)
    assert metadata(signed) == metadata(base)


@pytest.mark.parametrize(
    ("kind", "scheme", "returned"),
    [
        ("rsa2048", "rsa-pkcs1", ""),
        ("rsa3072", "rsa-pss", "rsa-pss"),
        ("p256", "ecdsa", "der"),
        ("p256", "ecdsa", "raw"),
        ("p384", "ecdsa", "raw"),
    ],
)
def test_pdfsig_accepts_every_scheme_and_encoding(kind: str, scheme: x509.Scheme, returned: str, tmp_path: Path) -> None:
    who, base = pki.party(f"Người ký {kind}", kind=kind), pki.transcript_pdf()
    prepared = pdf.prepare(
        base, field="GVCN", certificate=who.der, chain=who.chain, signed_at=pki.AT, name="A", reason="Giáo viên chủ nhiệm", scheme=scheme
    )

    signed = pdf.finish(base, prepared, who.sign(prepared.digest, returned), who.der, who.chain)

    assert prepared.scheme == scheme
    assert judged_by_pdfsig(signed, tmp_path) == ["Signature is Valid."]


def test_a_wrong_value_is_refused() -> None:
    base = pki.transcript_pdf()
    prepared = chain.prepare_pdf(base, "GVCN")
    who, other = chain.people()["GVCN"], chain.people()["CBQL"]
    good = who.sign(prepared.digest)

    for value in (other.sign(prepared.digest), who.sign(bytes(32)), good[:-1], good[:-1] + bytes([good[-1] ^ 1]), b""):
        with pytest.raises(x509.WrongSignature):
            pdf.finish(base, prepared, value, who.der, who.chain)
    with pytest.raises(x509.WrongSignature, match="scheme"):
        pdf.finish(base, prepared, who.sign(prepared.digest, "rsa-pss"), who.der, who.chain)


def test_of_two_signatures_prepared_from_one_base_only_the_first_is_embedded() -> None:
    base = pki.transcript_pdf()
    first, second = chain.prepare_pdf(base, "GVCN"), chain.prepare_pdf(base, "CBQL")

    signed = chain.finish_pdf(base, first)

    with pytest.raises(pdf.StaleDocument):
        chain.finish_pdf(signed, second)


def test_a_revision_that_changed_in_storage_is_refused() -> None:
    base = pki.transcript_pdf()
    prepared = chain.prepare_pdf(base, "GVCN")
    changed = prepared.model_copy(update={"revision": prepared.revision.replace(b"/Reason", b"/Reasom", 1)})

    with pytest.raises(pdf.StaleDocument):
        chain.finish_pdf(base, changed)


@pytest.mark.parametrize("document", [b"", b"no PDF at all", b"%PDF-1.7\n%%EOF\n"])
def test_what_is_no_pdf_is_refused(document: bytes) -> None:
    with pytest.raises(UnsuitableDocument):
        chain.prepare_pdf(document, "GVCN")


def test_a_field_that_is_absent_or_signed_is_refused() -> None:
    who = chain.people()["GVCN"]
    for document, field in ((pki.transcript_pdf(), "GVBM"), (chain.signed_pdf(), "GVCN")):
        with pytest.raises(UnsuitableDocument):
            pdf.prepare(document, field=field, certificate=who.der, chain=who.chain, signed_at=pki.AT, name="A", reason="B")


def test_preparing_and_finishing_run_in_a_process_pool() -> None:
    base, who = pki.transcript_pdf(), chain.people()["GVCN"]
    with ProcessPoolExecutor(1) as pool:
        prepared = pool.submit(
            pdf.prepare, base, field="GVCN", certificate=who.der, chain=who.chain, signed_at=pki.AT, name="A", reason="B"
        ).result()
        signed = pool.submit(pdf.finish, base, prepared, who.sign(prepared.digest), who.der, who.chain).result()

    assert len(PdfFileReader(BytesIO(signed)).embedded_signatures) == 1
