"""Evidence records: trees of any size, one changed byte, renewals, tokens that are not what they seem."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from asn1crypto import cms, tsp
from hypothesis import given
from hypothesis import strategies as st

from infra.sandbox.pki.authority import Stamper
from infra.sandbox.pki.stamping import stamp
from services.means import evidence_checker
from services.means.evidence_checker import BadEvidence, check, check_timestamps, der, imprint, read, root
from services.means.evidence_records import ORDER, Stamp, chain, grow, record, rehashed, with_proof
from services.means.validation_data import ValidationData
from tests.unit.signing.sealed import NOW, Sandbox
from tests.unit.signing.sealed import der as der_of

DOCUMENTS = [b"%PDF one", b"<HocBa/>"]
PROOFS = st.lists(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=3), min_size=1, max_size=70)


def digest(content: bytes, algorithm: str = "sha256") -> bytes:
    return hashlib.new(algorithm, content).digest()


def of(documents: Sequence[bytes]) -> Callable[[str], list[bytes]]:
    return lambda algorithm: [digest(each, algorithm) for each in documents]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox.open(tmp_path_factory.mktemp("sandbox"))


@dataclass
class Maker:
    """Evidence over two documents and nine other groups, as it grows over the years."""

    sandbox: Sandbox
    documents: Sequence[bytes] = tuple(DOCUMENTS)
    chains: list[tuple[str, list[Stamp]]] = field(default_factory=list)

    def token(self, imprint_of: bytes, algorithm: str = "sha256", stamper: Stamper | None = None) -> bytes:
        request = tsp.TimeStampReq(
            {
                "version": "v1",
                "message_imprint": {"hash_algorithm": {"algorithm": algorithm}, "hashed_message": imprint_of},
                "nonce": 7,
                "cert_req": True,
            }
        )
        stamper = stamper or self.sandbox.house.stamper
        token: bytes = tsp.TimeStampResp.load(stamp(request.dump(), stamper))["time_stamp_token"].dump()
        return with_proof(token, ValidationData(ocsps=(self.sandbox.ocsp(der_of(stamper.certificate)),), crls=self.sandbox.crls))

    def first(self, algorithm: str = "sha256", stamper: Stamper | None = None) -> bytes:
        own = [digest(each, algorithm) for each in self.documents]
        if self.chains:
            own = [rehashed(each, self.encoded(), algorithm) for each in own]
        tree = grow([own, *([digest(b"%d %d" % (n, m), algorithm) for m in range(2)] for n in range(9))], algorithm)
        self.chains.append((algorithm, [Stamp(tree.paths[0], self.token(tree.root, algorithm, stamper))]))
        return self.made()

    def renewed(self, others: int = 4, stamper: Stamper | None = None) -> bytes:
        algorithm, stamps = self.chains[-1]
        tree = grow([[digest(stamps[-1].token, algorithm)], *([digest(b"%d" % n, algorithm)] for n in range(others))], algorithm)
        stamps.append(Stamp(tree.paths[0], self.token(tree.root, algorithm, stamper)))
        return self.made()

    def encoded(self) -> list[bytes]:
        return [chain(algorithm, stamps) for algorithm, stamps in self.chains]

    def made(self) -> bytes:
        return record([algorithm for algorithm, _ in self.chains], self.encoded())


@pytest.fixture
def maker(sandbox: Sandbox) -> Maker:
    return Maker(sandbox)


@given(PROOFS, st.sampled_from(ORDER))
def test_every_document_of_a_tree_of_any_size_finds_the_same_root(groups: list[list[bytes]], algorithm: str) -> None:
    tree = grow(groups, algorithm)
    for group, path in zip(groups, tree.paths, strict=True):
        assert root(evidence_checker.ArchiveTimestamp(algorithm, path, b""), group) == tree.root
        assert len(path) <= (len(groups) - 1).bit_length() + 1


@given(PROOFS, st.data())
def test_another_digest_or_a_changed_way_up_never_leads_to_the_root(groups: list[list[bytes]], data: st.DataObject) -> None:
    tree = grow(groups, "sha256")
    number = data.draw(st.integers(0, len(groups) - 1))
    group, path = groups[number], tree.paths[number]
    other = data.draw(st.binary(min_size=32, max_size=32).filter(lambda each: each not in {*group, *(path[0] if path else ())}))
    if path:
        with pytest.raises(BadEvidence):
            root(evidence_checker.ArchiveTimestamp("sha256", path, b""), [other])
        level = data.draw(st.integers(0, len(path) - 1))
        place = data.draw(st.integers(0, len(path[level]) - 1))
        changed = [list(one) for one in path]
        changed[level][place] = other
        try:
            found = root(evidence_checker.ArchiveTimestamp("sha256", tuple(tuple(one) for one in changed), b""), group)
        except BadEvidence:
            return
        assert found != tree.root
    else:
        assert root(evidence_checker.ArchiveTimestamp("sha256", (), b""), [other]) != tree.root


def test_a_tree_without_leaves_is_refused() -> None:
    nothing: list[list[list[bytes]]] = [[], [[]]]
    for groups in nothing:
        with pytest.raises(ValueError, match="leaves"):
            grow(groups, "sha256")


def test_one_changed_byte_of_either_document_is_found(maker: Maker) -> None:
    made = read(maker.first())
    check(made, of(DOCUMENTS))
    check(made, of(DOCUMENTS[:1]))
    check(made, of(DOCUMENTS[1:]))
    for number, content in enumerate(DOCUMENTS):
        for at in range(len(content)):
            changed = [*DOCUMENTS]
            changed[number] = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
            with pytest.raises(BadEvidence, match="không phải tài liệu"):
                check(made, of(changed))


def test_no_changed_byte_of_a_record_passes_the_tree_and_the_timestamps(maker: Maker) -> None:
    whole = maker.first()
    carried = sum(map(len, (*maker.sandbox.crls, maker.sandbox.ocsp(maker.sandbox.tsa))))
    passed = 0
    for at in range(0, len(whole), 7):
        changed = whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]
        try:
            made = read(changed)
            check(made, of(DOCUMENTS))
            check_timestamps(made, maker.sandbox.roots)
            passed += 1
        except BadEvidence:
            continue
    # what is neither hashed nor signed by the unit: the OCSP response and unused certificates it carries along
    assert passed * 7 < carried


def test_a_renewed_record_has_all_timestamps_in_order_and_needs_each_of_them(maker: Maker) -> None:
    maker.first(stamper=maker.sandbox.stamper(30))
    made = read(maker.renewed())
    check(made, of(DOCUMENTS))
    first, second = check_timestamps(made, maker.sandbox.roots)
    assert first.trusted
    assert second.trusted
    assert first.time <= second.time <= first.ends < second.ends
    [(algorithm, stamps)] = maker.chains
    maker.chains = [(algorithm, [replace(stamps[0], token=maker.token(imprint(stamps[0].token)[1])), stamps[1]])]
    with pytest.raises(BadEvidence):
        check(read(maker.made()), of(DOCUMENTS))


def test_a_single_old_timestamp_is_renewed_without_any_tree(maker: Maker) -> None:
    maker.first()
    made = read(maker.renewed(others=0))
    assert made.stamps[-1].tree == ()
    check(made, of(DOCUMENTS))


def test_a_stronger_algorithm_covers_the_documents_and_all_evidence_before_it(maker: Maker) -> None:
    maker.first()
    maker.renewed()
    maker.first("sha384")
    maker.first("sha512")
    made = read(maker.renewed())
    assert [[stamp.algorithm for stamp in one] for one in made.chains] == [["sha256", "sha256"], ["sha384"], ["sha512", "sha512"]]
    check(made, of(DOCUMENTS))
    assert len(check_timestamps(made, maker.sandbox.roots)) == 5
    with pytest.raises(BadEvidence):
        check(made, lambda algorithm: [digest(each if algorithm != "sha512" else each + b" ", algorithm) for each in DOCUMENTS])
    del maker.chains[1]
    with pytest.raises(BadEvidence):
        check(read(maker.made()), of(DOCUMENTS))


def test_a_renewal_that_came_after_the_units_end_proves_nothing(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    maker.first(stamper=maker.sandbox.stamper(30))
    made = read(maker.renewed())
    first, second = check_timestamps(made)
    late = {made.stamps[1].token: replace(second, time=NOW + timedelta(days=31)), made.stamps[0].token: first}
    monkeypatch.setattr(evidence_checker, "_signed", lambda token, *_: late[token])
    with pytest.raises(BadEvidence, match="gia hạn trước"):
        check_timestamps(made)


def test_a_unit_that_was_revoked_before_the_renewal_proves_nothing(maker: Maker) -> None:
    stamper = maker.sandbox.stamper(30)
    maker.sandbox.revoke(der_of(stamper.certificate), NOW - timedelta(hours=1))
    with pytest.raises(BadEvidence, match="thu hồi"):
        check_timestamps(read(maker.first(stamper=stamper)), maker.sandbox.roots)


def test_a_timestamp_of_a_stranger_or_with_a_wrong_signature_is_refused(maker: Maker, tmp_path: Path) -> None:
    stranger = Maker(Sandbox.open(tmp_path))
    made = read(stranger.first())
    check(made, of(DOCUMENTS))
    assert not check_timestamps(made)[0].trusted
    with pytest.raises(BadEvidence, match="chứng thư gốc"):
        check_timestamps(made, maker.sandbox.roots)
    maker.first()
    damaged = maker.sandbox.token(imprint(maker.chains[0][1][0].token)[1], damaged=True)
    maker.chains[0][1][0] = replace(maker.chains[0][1][0], token=damaged)
    with pytest.raises(BadEvidence, match="chữ ký"):
        check_timestamps(read(maker.made()), maker.sandbox.roots)


def test_what_proves_the_unit_goes_into_the_token_in_der_and_replaces_what_was_there(sandbox: Sandbox, maker: Maker) -> None:
    token = maker.token(bytes(32))
    again = with_proof(token, ValidationData(ocsps=(sandbox.ocsp(sandbox.tsa),), crls=sandbox.crls[:1]))
    signed = cms.ContentInfo.load(again, strict=True)["content"]
    assert sorted(each.name for each in signed["crls"]) == ["certificate_list", "other"] or len(signed["crls"]) == 2
    assert signed["version"].native == "v5"
    encoded = [each.dump() for each in signed["certificates"]]
    assert encoded == sorted(encoded)
    assert imprint(again) == imprint(token)


@pytest.mark.parametrize(
    "content",
    [b"", b"0", b"\x30\x80\x00\x00", b"\x30\x03\x02\x01\x02", b"%PDF-1.7", der(0x30, der(2, b"\x01"), der(0x30), der(0x30))],
)
def test_what_is_no_evidence_record_is_refused_as_such(content: bytes) -> None:
    with pytest.raises(BadEvidence):
        read(content)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_and_never_stumbled_over(content: bytes) -> None:
    with pytest.raises(BadEvidence):
        read(content)


def test_the_checker_runs_without_this_project_and_without_any_library(maker: Maker, tmp_path: Path) -> None:
    program = tmp_path / "kiem_tra_chung_cu.py"
    program.write_bytes(Path(evidence_checker.__file__).read_bytes())
    for name, content in zip(("a.ers", "a.pdf", "a.xml"), (maker.first(), *DOCUMENTS), strict=True):
        (tmp_path / name).write_bytes(content)

    def run(*names: str, alone: bool = True) -> tuple[int, str]:
        options = ["-I", "-S"] if alone else ["-I"]
        command = [sys.executable, *options, str(program), *(str(tmp_path / name) for name in names)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    code, text = run("a.ers", "a.pdf", "a.xml")
    assert (code, "Cây băm đúng: 2 tài liệu, 1 dấu thời gian" in text, "chưa kiểm tra được" in text) == (0, True, True)
    code, text = run("a.ers", "a.pdf", alone=False)
    assert (code, "Sandbox TSA" in text) == (0, True)
    (tmp_path / "a.xml").write_bytes(b"<HocBa />")
    code, text = run("a.ers", "a.pdf", "a.xml")
    assert (code, "SAI" in text) == (1, True)
    assert run("a.ers")[0] == 1
