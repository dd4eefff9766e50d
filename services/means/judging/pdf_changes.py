"""What was added to a PDF after a signature: what signing and sealing here add is known by its shape, the rest pyHanko judges.

pyHanko reads all of a document for each revision that came after each signature, which is most of the time that judging a transcript
takes. Additions (`pades.additions`) are a strict part of what its rules permit after a certifying signature that allows filling in.
"""

from collections.abc import Sequence

from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult, ModificationLevel, StandardDiffPolicy, SuspiciousModification
from pyhanko.sign.fields import FieldMDPSpec, MDPPerm

from services.means.judging.additions import Addition

_LEVELS = {"signature": ModificationLevel.FORM_FILLING, "archive": ModificationLevel.LTA_UPDATES}
_KNOWN_PERMISSIONS = (None, MDPPerm.FILL_FORMS)


class Changes(StandardDiffPolicy):
    """For one signature, which covers a document up to `signed`; `added` are all additions with which the document ends."""

    def __init__(self, added: Sequence[Addition], signed: int) -> None:
        super().__init__(DEFAULT_DIFF_POLICY.global_rules, DEFAULT_DIFF_POLICY.form_rule)
        self._later = [each for each in added if each.start >= signed]
        self._signed = signed

    def review_file(
        self,
        reader: PdfFileReader,
        base_revision: int | HistoricalResolver,
        field_mdp_spec: FieldMDPSpec | None = None,
        doc_mdp: MDPPerm | None = None,
    ) -> DiffResult | SuspiciousModification:
        revision = base_revision if isinstance(base_revision, int) else base_revision.revision
        if field_mdp_spec is None and doc_mdp in _KNOWN_PERMISSIONS and self._are_all(reader, revision):
            return DiffResult(
                max(_LEVELS[each.kind] for each in self._later), {each.field for each in self._later if each.kind == "signature"}
            )
        return super().review_file(reader, base_revision, field_mdp_spec, doc_mdp)

    def _are_all(self, reader: PdfFileReader, revision: int) -> bool:
        """Whether nothing but additions follows, in pyHanko's reading of the file as well."""
        known = reader.xrefs
        if not self._later or self._later[0].start != self._signed:
            return False
        expected = [self._later[0].before, *(each.references for each in self._later)]
        return expected == [known.get_startxref_for_revision(number) for number in range(revision, known.total_revisions)]
