"""What was added to a PDF after a signature: pyHanko's rules and verdicts, at less than half of the cost.

For each object that a later revision replaces, pyHanko looks for every way that leads to it from the document's beginning, and reads
all of the document for that, most of it the tags of table cells. What leads to no replaced object adds nothing to the answer: in
that search it is shown as empty here, without being read.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult, StandardDiffPolicy, SuspiciousModification
from pyhanko.sign.fields import FieldMDPSpec, MDPPerm

# possessive, so that long rows of digits are read once
_GAP = rb"(?:[\0\t\n\f\r ]|%[^\r\n]*+[\r\n])++"
_REFERENCE = re.compile(rb"(?<!\d)0*+(\d{0,10}+)" + _GAP + rb"0*+(\d{0,5}+)" + _GAP + rb"R")

Key = tuple[int, int]
"""Number and generation of an object."""


class ChangesPolicy(StandardDiffPolicy):
    """pyHanko's default policy for one document, whose bytes are `content`."""

    def __init__(self, content: bytes) -> None:
        super().__init__(DEFAULT_DIFF_POLICY.global_rules, DEFAULT_DIFF_POLICY.form_rule)
        self._content = content

    def review_file(
        self,
        reader: PdfFileReader,
        base_revision: int | HistoricalResolver,
        field_mdp_spec: FieldMDPSpec | None = None,
        doc_mdp: MDPPerm | None = None,
    ) -> DiffResult | SuspiciousModification:
        revision = base_revision if isinstance(base_revision, int) else base_revision.revision
        return super().review_file(reader, SignedRevision(reader, revision, self._content), field_mdp_spec, doc_mdp)


class SignedRevision(HistoricalResolver):
    """A revision of the document that finds the ways to what later revisions replace without reading what leads elsewhere."""

    def __init__(self, reader: PdfFileReader, revision: int, content: bytes) -> None:
        super().__init__(reader, revision)
        self._content = content
        self._shown: set[Key] | None = None

    def get_object(self, ref: generic.Reference, as_metadata_stream: bool = False) -> generic.PdfObject:  # noqa: FBT001, FBT002 - pyHanko's signature
        if self._shown is not None and _key(ref) not in self._shown:
            return generic.DictionaryObject()  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
        found: generic.PdfObject = super().get_object(ref, as_metadata_stream)
        return found

    def _load_reverse_xref_cache(self) -> None:
        if self._indirect_object_access_cache is None:
            self._shown = self._leading_on()
            try:
                super()._load_reverse_xref_cache()  # type: ignore[no-untyped-call] # pyHanko leaves it untyped
            finally:
                self._shown = None

    def _leading_on(self) -> set[Key]:
        """Objects from which a way may lead to a replaced one, and the page tree.

        References are read off the bytes, so some may be none; those in object streams cannot be, and count as leading on.
        pyHanko enters a node of the page tree from its parent alone, so other references to it lead nowhere.
        """
        xrefs = self.reader.xrefs
        revisions = [xrefs.explicit_refs_in_revision(number) for number in range(xrefs.total_revisions)]
        replaced = {_key(ref) for later in revisions[self.revision + 1 :] for ref in later}
        places = {ref: xrefs.get_historical_ref(ref, self.revision) for earlier in revisions[: self.revision + 1] for ref in earlier}
        begins = sorted(
            {
                place
                for number, refs in enumerate(revisions)
                for ref in refs
                if isinstance(place := xrefs.get_historical_ref(ref, number), int)
            }
        )
        unread = {_key(ref) for ref, place in places.items() if place is not None and not isinstance(place, int)}
        referring: dict[Key, set[Key]] = defaultdict(set)
        for ref, place in places.items():
            if isinstance(place, int):
                following = bisect_right(begins, place)
                end = begins[following] if following < len(begins) else len(self._content)
                for number, generation in _REFERENCE.findall(self._content, place, end):
                    referring[int(number or b"0"), int(generation or b"0")].add(_key(ref))
        nodes, arrays = self._page_tree()
        leading = replaced | unread
        todo = list(leading)
        while todo:
            target = todo.pop()
            if target in nodes and target not in replaced:
                continue
            new = referring[target] - leading
            leading |= new
            todo += new
        return leading | nodes | arrays | {_key(self.root_ref)}

    def _page_tree(self) -> tuple[set[Key], set[Key]]:
        """Its nodes as pyHanko takes them, and the arrays of kids that are objects of their own."""
        nodes: set[Key] = set()
        arrays: set[Key] = set()
        todo: list[generic.PdfObject] = [self.root.raw_get("/Pages")]
        whole = True
        while todo:
            node = todo.pop()
            if isinstance(node, generic.IndirectObject):
                if _key(node.reference) in nodes:
                    continue
                nodes.add(_key(node.reference))
                node = self.get_object(node.reference)
            # of the kids, only those that say so have kids
            if isinstance(node, generic.DictionaryObject) and "/Kids" in node and (whole or node.get("/Type") == "/Pages"):
                kids = node.raw_get("/Kids")
                if isinstance(kids, generic.IndirectObject):
                    arrays.add(_key(kids.reference))
                todo += _items(node["/Kids"])
            whole = False
        return nodes, arrays


def _items(array: generic.PdfObject) -> Iterator[generic.PdfObject]:
    if isinstance(array, generic.ArrayObject):
        yield from (array.raw_get(index) for index in range(len(array)))


def _key(ref: generic.Reference) -> Key:
    return ref.idnum, ref.generation
