"""What is said of a signature and of a whole document once they have been judged, in the person's words where something is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from services.means.judging.evidence import Means, joined, revocation
from services.means.validation_data import ValidationData
from services.means.x509 import Problem, RevocationState, Scheme, Trust, TrustState, describe

Coverage = Literal["whole", "revision", "content", "unclear"]
Level = Literal["B", "T", "LT", "LTA"]

LEVELS: Final[tuple[Level, ...]] = ("B", "T", "LT", "LTA")
FIELDS: Final = ("GVCN", "CBQL", "KY_PHAT_HANH")
"""The signature fields of a PDF in the order of signing; the last one is the school's."""
SCHOOL: Final = FIELDS[-1]


class Verdict(BaseModel):
    """One signature judged.

    `place` is the PDF field or the XML signature's Id. `coverage`: "whole" the document as it is now; "revision" (PDF)
    all that was there when it was made, later additions being permitted ones; "content" (XML) the content and what
    `covers` lists. `level` is what protects the signature beyond itself: "T" a timestamp, "LT" also proof in the document that no
    certificate was revoked, "LTA" an archive timestamp over that proof. `proved_at` is the time of the earliest sound timestamp over
    the signature, and the moment for which `trust` and `revocation` are judged; None: they are judged for the present.
    `role` and `signed_at` are claims of the signer, protected by the signature.
    """

    model_config = ConfigDict(frozen=True)

    place: str
    signer: str
    personal_id: str | None = None
    tax_code: str | None = None
    role: str | None = None
    signed_at: datetime | None = None
    serial: str = ""
    issuer: str = ""
    certificate: bytes = b""
    scheme: Scheme | None = None
    intact: bool
    trust: TrustState
    revocation: RevocationState
    coverage: Coverage
    covers: tuple[str, ...] = ()
    level: Level = "B"
    proved_at: datetime | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def valid(self) -> bool:
        return self.intact and self.trust == "trusted" and self.coverage != "unclear" and not self.problems


class DocumentVerdict(BaseModel):
    """A transcript that the school has issued, judged as a whole: what no single signature can know is said in `problems`."""

    model_config = ConfigDict(frozen=True)

    signatures: tuple[Verdict, ...]
    level: Level
    problems: tuple[Problem, ...] = ()

    @property
    def valid(self) -> bool:
        return not self.problems and all(one.valid for one in self.signatures)


def as_issued(signatures: Sequence[Verdict]) -> DocumentVerdict:
    """Hold a document's verdicts against what an issued transcript has: all three closing signatures, the school's last, archived.

    So a PDF cut back to an earlier revision and an XML that lost its last signature are found, though what is left is sound.
    """
    places = [one.place for one in signatures]
    level = min((one.level for one in signatures), key=LEVELS.index, default="B")
    found = []
    if SCHOOL not in places:
        found.append("missing_last")
    elif not set(FIELDS) <= set(places):
        found.append("missing_signature")
    elif places[-1] != SCHOOL:
        found.append("added_signature")
    if level != "LTA":
        found.append("not_archived")
    return DocumentVerdict(signatures=tuple(signatures), level=level, problems=tuple(PROBLEMS[code] for code in found))


@dataclass(frozen=True)
class Proof:
    """What timestamps give a signature: `time` of the earliest, `archived` the data under an archive timestamp, `bad` damage."""

    time: datetime | None = None
    archived: ValidationData | None = None
    embedded: ValidationData = field(default_factory=ValidationData)
    bad: str | None = None

    def beside(self, own: "Proof") -> "Proof":
        """For a signature that has timestamps of its own and lies under those of another one, whose damage is that one's."""
        times = [one.time for one in (self, own) if one.time is not None]
        return Proof(min(times, default=None), self.archived or own.archived, joined(self.embedded, own.embedded), own.bad)


NO_PROOF = Proof()


def level_of(certificate: bytes, others: Sequence[bytes], proof: Proof, means: Means) -> Level:
    """How far the evidence inside the document reaches: B none, T a timestamp, LT proof that nothing was revoked, LTA that kept too."""
    if proof.time is None:
        return "B"
    pool = (*others, *means.data.certificates, *means.roots)
    if proof.archived is not None and revocation(certificate, pool, proof.archived, proof.time) == "good":
        return "LTA"
    return "LT" if revocation(certificate, pool, proof.embedded, proof.time) == "good" else "T"


def make(
    place: str,
    certificate: bytes,
    trusted: Trust,
    *,
    intact: bool,
    coverage: Coverage,
    problems: Sequence[Problem],
    role: str | None = None,
    signed_at: datetime | None = None,
    scheme: Scheme | None = None,
    covers: tuple[str, ...] = (),
    proved_at: datetime | None = None,
    level: Level = "B",
) -> Verdict:
    facts = describe(certificate)
    return Verdict(
        place=place,
        signer=facts.subject,
        personal_id=facts.personal_id,
        tax_code=facts.tax_code,
        role=role,
        signed_at=signed_at,
        serial=facts.serial,
        issuer=facts.issuer,
        certificate=certificate,
        scheme=scheme,
        intact=intact,
        trust=trusted.state,
        revocation=trusted.revocation,
        coverage=coverage,
        covers=covers,
        level=level,
        proved_at=proved_at,
        problems=tuple(problems),
    )


def unreadable(place: str) -> Verdict:
    problems = (PROBLEMS["unreadable"],)
    return Verdict(place=place, signer="", intact=False, trust="untrusted", revocation="unknown", coverage="unclear", problems=problems)


_ASK_AGAIN = "Đề nghị đơn vị phát hành cung cấp lại tệp học bạ gốc."
PROBLEMS = {
    code: Problem(code=code, message_vi=message, action_vi=_ASK_AGAIN)
    for code, message in (
        ("changed", "Nội dung đã bị thay đổi sau khi ký."),
        ("wrong_value", "Giá trị chữ ký không đúng với chứng thư số của người ký."),
        ("missing_part", "Thiếu nội dung hoặc chữ ký mà chữ ký này bảo vệ."),
        ("added_afterwards", "Tài liệu bị thêm nội dung không được phép sau khi ký."),
        ("content_not_covered", "Chữ ký không bảo vệ nội dung học bạ."),
        ("weak_algorithm", "Chữ ký dùng thuật toán không được chấp nhận."),
        ("unaccepted", "Chữ ký không đạt yêu cầu kiểm tra của chứng thư số."),
        ("timestamp", "Dấu thời gian của chữ ký bị hỏng hoặc không do tổ chức được tin cậy cấp."),
        ("missing_last", "Tài liệu thiếu chữ ký phát hành của nhà trường."),
        ("missing_signature", "Tài liệu thiếu chữ ký của giáo viên chủ nhiệm hoặc lãnh đạo nhà trường."),
        ("added_signature", "Tài liệu có chữ ký được thêm sau khi nhà trường ký phát hành."),
        ("not_archived", "Tài liệu không có đủ dấu thời gian và dữ liệu xác thực để lưu trữ lâu dài."),
        ("unreadable", "Không đọc được chữ ký hoặc thiếu chứng thư số của người ký."),
    )
}
