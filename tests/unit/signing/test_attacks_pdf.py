"""Known attacks on signed PDF files are called what they are, and what was signed honestly elsewhere is not."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from services.means.judging.examined import Examined, examine
from tests.unit.signing import attacks_pdf, pki
from tests.unit.signing.attacks_pdf import ATTACKS, FORGED, FORGERIES, GENUINE
from tests.unit.signing.pki import Party
from tests.unit.signing.sealed import NOW


@pytest.fixture(scope="module")
def somebody() -> Party:
    return pki.party("Nguyễn Thị Lạ", "CCCD:031180000077")


def judged(document: bytes) -> Examined:
    return examine(document, [pki.root()], NOW + timedelta(minutes=9), [pki.crl([], since=NOW, issued=NOW)])


def shown(document: bytes) -> bytes:
    """What a reader that trusts the tables prints of the first page."""
    page = PdfFileReader(BytesIO(document), strict=False).root["/Pages"]["/Kids"][0]
    content: bytes = page["/Contents"].data
    return content


def test_an_honest_document_of_a_stranger_is_whole_and_trusted_with_its_source_unknown(somebody: Party) -> None:
    found = judged(attacks_pdf.signed(attacks_pdf.plain(), somebody))

    assert (found.kind, found.document) == ("foreign", None)
    assert (found.integrity.state, [one.name for one in found.signers]) == ("passed", ["Nguyễn Thị Lạ"])
    assert (found.time.state, found.state) == ("unchecked", "unchecked"), "nobody but the signer says when"


@pytest.mark.parametrize("attack", [name for name in ATTACKS if not name.startswith("forgery_")])
def test_what_was_changed_after_signing_is_called_so(attack: str, somebody: Party) -> None:
    found = judged(ATTACKS[attack](somebody))

    assert found.integrity.state == "failed"
    assert found.state == "failed"


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_signature_whose_entries_were_forged_is_not_passed_over(forgery: str, somebody: Party) -> None:
    found = judged(FORGERIES[forgery](somebody))

    assert found.integrity.state == "failed"
    assert found.state == "failed"


@pytest.mark.parametrize("attack", ["incremental_saving", "shadow_hide_and_replace", "wrapping"])
def test_the_attacks_do_show_a_reader_something_else(attack: str, somebody: Party) -> None:
    assert GENUINE in shown(attacks_pdf.signed(attacks_pdf.plain(), somebody))
    assert FORGED in shown(ATTACKS[attack](somebody))
