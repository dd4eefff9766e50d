"""The archive revision, judged by EU DSS, veraPDF, pdfsig and pyHanko; timestamps and validation data come from the sandbox PKI."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import pytest
from asn1crypto import crl, ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import async_validate_pdf_signature, async_validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator import ValidationContext

from services.chassis import clock
from services.means.timestamps import TimestampAuthority, TimestampRefused, time_of
from services.means.validation_data import Unprovable, ValidationData, ValidationSource
from services.means.x509 import Scheme
from services.records.render.pdf import transcript_pdf
from services.records.render.xml import transcript_xml
from services.signing import pdf, pdf_archive
from services.signing.pdf_archive import PreparedArchive
from services.signing.xml import UnsuitableDocument
from tests.factories.transcripts import primary_content, subject_signatures
from tests.interop import oracles
from tests.unit.means.sandbox_pki import Pki, archive_means, running
from tests.unit.signing.pki import Party

LTA = "PAdES-BASELINE-LTA"
Judged = dict[str, list[oracles.Signature]]
YEARS = dt.timedelta(days=4 * 365)


@dataclass(frozen=True)
class People:
    """Homeroom teacher, leader and school, with the scheme each signs in."""

    parties: tuple[Party, Party, Party]
    schemes: tuple[Scheme, Scheme, Scheme] = ("rsa-pkcs1", "ecdsa", "rsa-pss")

    @property
    def signers(self) -> list[tuple[bytes, Sequence[bytes]]]:
        return [(party.der, party.chain) for party in self.parties]


@dataclass(frozen=True)
class Means:
    authority: TimestampAuthority
    source: ValidationSource

    async def archived(self, document: bytes, signers: Sequence[tuple[bytes, Sequence[bytes]]]) -> bytes:
        data, unit = await self.source.gather(signers), await self.authority.unit()
        prepared = pdf_archive.prepare(document, data, room=unit.room)
        return pdf_archive.finish(document, prepared, await self.authority.token(prepared.digest))


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pki]:
    with running(tmp_path_factory.mktemp("pki")) as started:
        yield started


@pytest.fixture(scope="module")
def people(pki: Pki) -> People:
    return make_people(pki, 51)


def make_people(pki: Pki, number: int) -> People:
    return People(
        (
            pki.person("Nguyễn Thị Hồng", f"0311850000{number}"),
            pki.person("Vũ Hiệu Trưởng", f"0311750000{number}", key="p256", root="government"),
            pki.person("Trường Tiểu học An Hồng", "0200123456", kind="organisation"),
        )
    )


@pytest.fixture(scope="module")
def signed(people: People) -> bytes:
    return sign(people)


def sign(people: People) -> bytes:
    """A transcript as it is rendered, signed by three with three kinds of keys."""
    content = primary_content()
    document = transcript_pdf(content, subject_signatures(content), transcript_xml(content))
    for field, party, scheme in zip(pdf.FIELDS, people.parties, people.schemes, strict=True):
        prepared = pdf.prepare(
            document,
            field=field,
            certificate=party.der,
            chain=party.chain,
            signed_at=clock.now(),
            name="Người ký",
            reason="Vai trò",
            scheme=scheme,
        )
        document = pdf.finish(document, prepared, party.sign(prepared.digest, scheme), party.der, party.chain)
    return document


@pytest.fixture
async def means(pki: Pki) -> AsyncIterator[Means]:
    async with archive_means(pki) as (authority, source):
        yield Means(authority, source)


@pytest.fixture(scope="module")
def archived(pki: Pki, people: People, signed: bytes) -> bytes:
    async def work() -> bytes:
        async with archive_means(pki) as (authority, source):
            return await Means(authority, source).archived(signed, people.signers)

    return asyncio.run(work())


@pytest.fixture(scope="module")
def data(pki: Pki, people: People) -> ValidationData:
    async def work() -> ValidationData:
        async with archive_means(pki) as (_, source):
            gathered: ValidationData = await source.gather(people.signers)
            return gathered

    return asyncio.run(work())


@pytest.fixture(scope="module")
def files(pki: Pki, people: People, signed: bytes, archived: bytes, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Everything that the validators judge, in one place, as each of their runs takes seconds to begin."""

    async def work() -> dict[str, bytes]:
        revoked = make_people(pki, 52)
        async with archive_means(pki) as (authority, source):
            means = Means(authority, source)
            unit = await authority.unit()
            renewed = await means.archived(archived, [(unit.certificate, unit.chain)])
            before_revocation = await means.archived(sign(revoked), revoked.signers)
        serial = x509.load_der_x509_certificate(revoked.parties[0].der).serial_number
        pki.post("/control/revoke", serial=f"{serial:x}", at=(clock.now() + dt.timedelta(days=1)).isoformat())
        forged = archived.replace(b"/Title", b"/Titel", 1)
        return {"signed": signed, "archived": archived, "renewed": renewed, "revoked later": before_revocation, "forged": forged}

    folder = tmp_path_factory.mktemp("documents")
    (folder / "no-lists").mkdir()
    places = {}
    for name, content in asyncio.run(work()).items():
        places[name] = folder / f"{name}.pdf"
        places[name].write_bytes(content)
    return places


@pytest.fixture(scope="module")
def now(pki: Pki, files: dict[str, Path]) -> Judged:
    """EU DSS's judgement without any revocation list from outside: the documents have to prove themselves."""
    nothing = files["signed"].parent / "no-lists"
    places = [files[name] for name in ("archived", "renewed", "forged")]
    return {file.stem: judged for file, judged in oracles.dss(places, pki.trust, nothing, strict=True).items()}


@pytest.fixture(scope="module")
def years_later(pki: Pki, files: dict[str, Path]) -> Judged:
    """All signers have expired by then, and the lists tell of a revocation."""
    places = [files[name] for name in ("archived", "renewed", "signed", "revoked later")]
    return {file.stem: judged for file, judged in oracles.dss(places, pki.trust, pki.crls, at=clock.now() + YEARS).items()}


def timestamp_of(document: bytes) -> bytes:
    token: bytes = PdfFileReader(BytesIO(document)).embedded_timestamp_signatures[-1].pkcs7_content
    return token


def roots_of(pki: Pki) -> list[asn1_x509.Certificate]:
    return [asn1_x509.Certificate.load(root) for root in pki.roots]


@pytest.mark.parametrize("name", ["archived", "renewed"])
def test_eu_dss_finds_every_signature_at_the_archive_level_without_a_warning(now: Judged, name: str) -> None:
    assert [(s.format, s.indication, s.errors, s.warnings) for s in now[name]] == [(LTA, "TOTAL_PASSED", (), ())] * 3


def test_a_changed_byte_is_noticed_in_every_signature(now: Judged) -> None:
    assert {s.indication for s in now["forged"]} == {"TOTAL_FAILED"}


@pytest.mark.parametrize("name", ["archived", "renewed", "revoked later"])
def test_eu_dss_still_passes_when_all_signers_have_expired_or_one_was_revoked_since(years_later: Judged, name: str) -> None:
    assert [(s.format, s.indication) for s in years_later[name]] == [(LTA, "TOTAL_PASSED")] * 3


def test_without_the_archive_revision_expired_signers_pass_no_more(years_later: Judged) -> None:
    assert {s.indication for s in years_later["signed"]} == {"INDETERMINATE"}


def test_an_archived_and_a_renewed_document_stay_archivable(files: dict[str, Path]) -> None:
    verdicts = oracles.verapdf([files["archived"], files["renewed"]])
    assert all(verdict.compliant for verdict in verdicts.values()), verdicts


def test_pdfsig_finds_the_three_signatures_valid(files: dict[str, Path]) -> None:
    judged = oracles.pdfsig(files["archived"])
    # the fourth is the document timestamp, a kind that poppler does not judge
    assert [s.valid for s in judged] == [True, True, True, False]
    assert [s.covers_whole_file for s in judged] == [False, False, False, True]


async def test_pyhanko_trusts_signatures_and_timestamp_with_nothing_but_the_document(archived: bytes, pki: Pki) -> None:
    reader = PdfFileReader(BytesIO(archived))
    moment = time_of(timestamp_of(archived))
    store = DocumentSecurityStore.read_dss(reader)

    def context() -> ValidationContext:
        return store.as_validation_context({"trust_roots": roots_of(pki), "moment": moment, "revocation_mode": "require"})

    timestamp = await async_validate_pdf_timestamp(reader.embedded_timestamp_signatures[0], context())
    assert (timestamp.intact, timestamp.valid, timestamp.trusted) == (True, True, True)
    for signature in reader.embedded_regular_signatures:
        status = await async_validate_pdf_signature(signature, context())
        assert (status.intact, status.valid, status.trusted, status.docmdp_ok) == (True, True, True, True)
    last = await async_validate_pdf_signature(reader.embedded_regular_signatures[-1], context())
    assert last.modification_level == ModificationLevel.LTA_UPDATES


def test_the_archived_file_is_the_signed_one_with_one_revision_of_less_than_30_kb(signed: bytes, archived: bytes) -> None:
    assert archived.startswith(signed)
    assert len(archived) - len(signed) < 30_000
    before, after = PdfFileReader(BytesIO(signed)), PdfFileReader(BytesIO(archived))
    assert after.xrefs.total_revisions == before.xrefs.total_revisions + 1


def test_everything_gathered_is_in_the_store_once_and_no_vri(archived: bytes, data: ValidationData) -> None:
    store = PdfFileReader(BytesIO(archived)).root["/DSS"]
    assert "/VRI" not in store
    assert len(store["/OCSPs"]) == len(data.ocsps)
    assert len(store["/CRLs"]) == len(data.crls)
    held = [certificate.get_object().data for certificate in store["/Certs"]]
    assert set(data.certificates) <= set(held)
    assert len(held) == len(set(held))
    assert [ocsp.OCSPResponse.load(each.get_object().data)["response_status"].native for each in store["/OCSPs"]] == ["successful"] * 4
    assert {crl.CertificateList.load(each.get_object().data).issuer.native["common_name"] for each in store["/CRLs"]} == {
        "Sandbox National Root CA",
        "Sandbox Government Root CA",
    }


def test_title_metadata_and_appearances_stay_as_they_were(signed: bytes, archived: bytes) -> None:
    before, after = PdfFileReader(BytesIO(signed)), PdfFileReader(BytesIO(archived))
    assert after.trailer.raw_get("/Info") == before.trailer.raw_get("/Info")
    assert after.root.raw_get("/Metadata") == before.root.raw_get("/Metadata")
    changed = archived[len(signed) :]
    assert b"/ModDate" not in changed
    assert b"/XObject" not in changed


def test_the_next_timestamp_covers_the_first(archived: bytes, files: dict[str, Path]) -> None:
    renewed = files["renewed"].read_bytes()
    assert renewed.startswith(archived)
    timestamps = PdfFileReader(BytesIO(renewed)).embedded_timestamp_signatures
    assert [each.field_name for each in timestamps] == ["DAU_THOI_GIAN_1", "DAU_THOI_GIAN_2"]


async def test_a_signer_who_was_revoked_before_is_not_archived(pki: Pki, means: Means) -> None:
    late = make_people(pki, 53)
    document = sign(late)
    pki.revoke(late.parties[1].der)
    with pytest.raises(Unprovable) as caught:
        await means.archived(document, late.signers)
    assert (caught.value.code, caught.value.certificate) == ("revoked", late.parties[1].der)


async def test_a_token_over_another_digest_is_not_embedded(signed: bytes, data: ValidationData, means: Means) -> None:
    prepared = pdf_archive.prepare(signed, data, room=4000)
    token = await means.authority.token(sha256(b"another document").digest())
    with pytest.raises(TimestampRefused, match="another digest"):
        pdf_archive.finish(signed, prepared, token)


async def test_a_token_that_does_not_fit_is_refused(signed: bytes, data: ValidationData, means: Means) -> None:
    prepared = pdf_archive.prepare(signed, data, room=1000)
    with pytest.raises(TimestampRefused, match="more than the room"):
        pdf_archive.finish(signed, prepared, await means.authority.token(prepared.digest))


async def test_another_base_than_the_prepared_one_is_refused(signed: bytes, archived: bytes, data: ValidationData, means: Means) -> None:
    prepared = pdf_archive.prepare(signed, data, room=4000)
    token = await means.authority.token(prepared.digest)
    for other in (archived, signed[:-1] + b" ", b""):
        with pytest.raises(pdf.StaleDocument):
            pdf_archive.finish(other, prepared, token)


async def test_a_revision_that_changed_in_storage_is_refused(signed: bytes, data: ValidationData, means: Means) -> None:
    prepared = pdf_archive.prepare(signed, data, room=4000)
    token = await means.authority.token(prepared.digest)
    changed = prepared.model_copy(update={"revision": prepared.revision.replace(b"/DSS", b"/DSs", 1)})
    with pytest.raises(pdf.StaleDocument):
        pdf_archive.finish(signed, changed, token)


@pytest.mark.parametrize("document", [b"", b"not a PDF", b"%PDF-1.7\n%%EOF\n"])
def test_what_is_no_pdf_is_refused(document: bytes) -> None:
    with pytest.raises(UnsuitableDocument):
        pdf_archive.prepare(document, ValidationData(), room=4000)


def test_a_document_without_a_final_newline_gets_one_before_the_revision(signed: bytes, data: ValidationData) -> None:
    bare = signed.rstrip(b"\n")
    prepared = pdf_archive.prepare(bare, data, room=4000)
    assert prepared.base_length == len(bare)
    assert prepared.revision.startswith(b"\n")


async def test_preparing_and_finishing_run_in_a_process_pool(signed: bytes, data: ValidationData, means: Means) -> None:
    unit = await means.authority.unit()
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        prepared = await loop.run_in_executor(pool, _prepare, signed, data, unit.room)
        token = await means.authority.token(prepared.digest)
        finished = await loop.run_in_executor(pool, pdf_archive.finish, signed, prepared, token)
    assert timestamp_of(finished).startswith(token)


def _prepare(document: bytes, data: ValidationData, room: int) -> PreparedArchive:
    return pdf_archive.prepare(document, data, room=room)
