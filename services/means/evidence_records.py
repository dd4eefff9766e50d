"""RFC 4998 evidence records made and renewed: hash trees over many documents, the DER around them, tokens that carry their proof.

One timestamp over the root of a tree proves all documents in it; each gets the few hashes that lead from it to the root. Plain data in,
plain data out; what is made here is judged by `evidence_checker`, which shares no more with it than how hashes are joined.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from services.means.evidence_checker import ALGORITHMS, INTEGER, OCTETS, SEQUENCE, SET, der, elements, joined, sequence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.means.validation_data import ValidationData

Algorithm = Literal["sha256", "sha384", "sha512"]
ORDER: Final[tuple[Algorithm, ...]] = ("sha256", "sha384", "sha512")
"""From weaker to stronger."""
Path = tuple[tuple[bytes, ...], ...]
"""A reduced hashtree (RFC 4998, 4.2): lists of hashes from the leaves up, without those that can be computed."""

_IDENTIFIERS: Final = {
    name: der(SEQUENCE, bytes.fromhex("0609608648016503040200")[:-1] + bytes([int(dotted.rpartition(".")[2])]))
    for dotted, name in ALGORITHMS.items()
}
_OCSP: Final = bytes.fromhex("06082b06010505071002")
"""id-ri-ocsp-response, RFC 5940."""


@dataclass(frozen=True)
class Tree:
    """What has to be timestamped, and for each leaf the way up to it."""

    root: bytes
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Stamp:
    """One ArchiveTimeStamp as it will be written; `token` is a DER ContentInfo."""

    path: Path
    token: bytes


def grow(groups: Sequence[Sequence[bytes]], algorithm: str) -> Tree:
    """A binary tree over groups of digests, a group being what belongs together (the PDF and the XML of one document).

    A node without a neighbour moves up as it is. A group of several stands in a list of its own, so it can be seen that nothing else
    belongs to it; a single digest stands beside its neighbour. Raises ValueError without any group.
    """
    if not groups or not all(groups):
        raise ValueError("a hash tree needs leaves")
    ways: list[list[tuple[bytes, ...]]] = [[tuple(sorted(group))] if len(group) > 1 else [] for group in groups]
    level = [(joined(algorithm, group), [number]) for number, group in enumerate(groups)]
    while len(level) > 1:
        above = []
        for left, right in zip(level[::2], level[1::2], strict=False):
            for (own, below), (other, _) in ((left, right), (right, left)):
                for number in below:
                    ways[number].append((other,) if ways[number] else tuple(sorted((own, other))))
            above.append((joined(algorithm, (left[0], right[0])), left[1] + right[1]))
        level = above + level[len(above) * 2 :]
    return Tree(level[0][0], tuple(tuple(way) for way in ways))


def chain(algorithm: str, stamps: Sequence[Stamp]) -> bytes:
    """DER of an ArchiveTimeStampChain: the first timestamp and its renewals, all in one hash algorithm."""
    return der(SEQUENCE, *(_archive_timestamp(algorithm, each) for each in stamps))


def record(algorithms: Sequence[str], chains: Sequence[bytes]) -> bytes:
    """DER of an EvidenceRecord; `algorithms` are those of the chains, in order."""
    named = der(SEQUENCE, *(_IDENTIFIERS[each] for each in dict.fromkeys(algorithms)))
    return der(SEQUENCE, der(INTEGER, b"\x01"), named, sequence_of(chains))


def rehashed(digest: bytes, chains: Sequence[bytes], algorithm: str) -> bytes:
    """The leaf by which a stronger algorithm covers a document (its digest in that algorithm) and all evidence so far (RFC 4998, 5.3)."""
    before = hashlib.new(algorithm, sequence_of(chains)).digest()
    return hashlib.new(algorithm, digest + before).digest()


def with_proof(token: bytes, data: ValidationData) -> bytes:
    """The token with what shows its unit to be good, where whoever judges it later will look: the unsigned parts of its SignedData.

    In place of the revocation data that it carried, as what is good now was good before. Sets are written in the order that DER wants,
    as a change of the hash algorithm covers tokens in DER.
    """
    [(_, content, _)] = elements(token)
    kind, (_, wrapped, _) = elements(content)
    [(_, signed, _)] = elements(wrapped)
    fields = elements(signed)
    certificates = {each for tag, value, _ in fields if tag == 0xA0 for _, _, each in elements(value)} | set(data.certificates)
    revocations = {*data.crls, *(der(0xA1, _OCSP, each) for each in data.ocsps)}
    # RFC 5652, 5.1: version 5 as soon as there is revocation information of another kind than lists
    version = der(INTEGER, b"\x05") if any(each[0] == 0xA1 for each in revocations) else fields[0][2]
    parts = [version, fields[1][2], fields[2][2]]
    parts += [der(tag, *sorted(values)) for tag, values in ((0xA0, certificates), (0xA1, revocations)) if values]
    parts.append(next(whole for tag, _, whole in reversed(fields) if tag == SET))
    return der(SEQUENCE, kind[2], der(0xA0, der(SEQUENCE, *parts)))


def _archive_timestamp(algorithm: str, stamp: Stamp) -> bytes:
    lists = [der(SEQUENCE, *(der(OCTETS, each) for each in one)) for one in stamp.path]
    identifier = elements(_IDENTIFIERS[algorithm])[0][1]
    return der(SEQUENCE, der(0xA0, identifier), der(0xA2, *lists) if lists else b"", stamp.token)
