"""One file that somebody brings, examined as a whole: separate verdicts for integrity, each signer, trust and time.

A verdict has three states: "passed", "failed", and "unchecked" ("chưa kiểm tra được"), which is no fault of the document: what would
be needed to tell is not here. Functions are pure; nothing is fetched, nothing is kept.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Final, Literal

from lxml import etree
from pydantic import BaseModel, ConfigDict
from pyhanko.pdf_utils.reader import PdfFileReader

from services.means.judging import frame
from services.means.judging.frame import UnsuitableDocument
from services.means.judging.judge_foreign_xml import verify_foreign_xml
from services.means.judging.judge_pdf import BROKEN_PDF, verify_pdf
from services.means.judging.judge_xml import verify_xml
from services.means.judging.recognise import Form, form_of
from services.means.judging.verdict import FIELDS, SCHOOL, Verdict, as_issued
from services.means.x509 import describe

CheckState = Literal["passed", "failed", "unchecked"]
Kind = Literal["transcript", "class_summary", "foreign"]

KINDS: Final[dict[str, Kind]] = {"HocBa": "transcript", "BangTongHop": "class_summary"}
ORIGINAL: Final = "hoc-ba-goc.pdf"
"""The sealed original inside a certified copy given as a file."""
_OF_TIME: Final = frozenset({"timestamp"})
_OF_PARTS: Final = frozenset({"part_only", "outside"})
_OF_INTEGRITY: Final = frozenset(
    {"changed", "wrong_value", "missing_part", "added_afterwards", "content_not_covered", "weak_algorithm", "unreadable"}
)
_UNPROVEN: Final = frozenset({"not_archived"})
_SKEW: Final = timedelta(minutes=5)
"""By which a signer's clock may be fast."""
_TRUST_WORDS: Final[dict[str, tuple[CheckState, str]]] = {
    "expired": ("unchecked", "Chứng thư số đã hết hạn và không có dấu thời gian chứng minh chữ ký có trước đó."),
    "incomplete_chain": ("unchecked", "Thiếu chứng thư số của đơn vị cấp nên không dẫn được đến chứng thư số gốc."),
    "not_yet_valid": ("failed", "Chứng thư số chưa có hiệu lực ở thời điểm ký."),
    "untrusted": ("failed", "Chứng thư số không do tổ chức được tin cậy cấp."),
    "revoked": ("failed", "Chứng thư số đã bị thu hồi."),
}


class Check(BaseModel):
    """`text` is a Vietnamese sentence."""

    model_config = ConfigDict(frozen=True)

    state: CheckState
    text: str


class Signer(BaseModel):
    """`role` and `signed_at` are what the signer says of themselves; `proved_at` is what a timestamp proves."""

    model_config = ConfigDict(frozen=True)

    place: str
    name: str
    role: str | None
    issuer: str
    serial: str
    signed_at: datetime | None
    proved_at: datetime | None
    integrity: Check
    trust: Check
    time: Check

    @property
    def state(self) -> CheckState:
        return worst(self.integrity, self.trust, self.time)


class Examined(BaseModel):
    """`document` is the id that the content claims, which counts only where integrity and trust are passed.

    `copy_of_original`: the file is a certified copy, and what is said is about the original inside it.
    """

    model_config = ConfigDict(frozen=True)

    form: Form
    kind: Kind
    document: str | None = None
    sha256: str
    copy_of_original: bool = False
    integrity: Check
    trust: Check
    time: Check
    signers: tuple[Signer, ...] = ()

    @property
    def state(self) -> CheckState:
        return worst(self.integrity, self.trust, self.time)


def worst(*checks: Check) -> CheckState:
    states = {check.state for check in checks}
    return "failed" if "failed" in states else "unchecked" if "unchecked" in states else "passed"


def examine(document: bytes, roots: Sequence[bytes], at: datetime, crls: Sequence[bytes] = ()) -> Examined:
    """`roots` and `crls` are DER, `at` is the present. Raises recognise.NotADocument for what is neither PDF nor XML."""
    form = form_of(document)
    if form == "xml":
        return _examine_xml(document, roots, at, crls)
    return _examine_pdf(document, roots, at, crls)


def _examine_xml(document: bytes, roots: Sequence[bytes], at: datetime, crls: Sequence[bytes]) -> Examined:
    digest = sha256(document).hexdigest()
    kind, claimed, tax_code = _claims(document)
    try:
        verdicts = verify_foreign_xml(document, roots, crls, at) if kind == "foreign" else verify_xml(document, roots, crls, at)
    except UnsuitableDocument as unsuitable:
        return _unfit("xml", digest, kind, unsuitable.problem.message_vi)
    return _of(verdicts, form="xml", kind=kind, claimed=claimed, tax_code=tax_code, digest=digest, at=at)


def _examine_pdf(document: bytes, roots: Sequence[bytes], at: datetime, crls: Sequence[bytes], *, inner: bool = False) -> Examined:
    digest = sha256(document).hexdigest()
    try:
        reader = PdfFileReader(BytesIO(document))
        if reader.encrypted:
            return _unfit("pdf", digest, "foreign", "Tệp PDF được đặt mật khẩu hoặc mã hóa nên không đọc được.", state="unchecked")
        attached = _attached(reader)
    except BROKEN_PDF:
        return _unfit("pdf", digest, "foreign", "Tệp PDF không đọc được hoặc đã hỏng.")
    try:
        verdicts = verify_pdf(document, roots, crls, at)
    except UnsuitableDocument as unsuitable:
        return _unfit("pdf", digest, "foreign", unsuitable.problem.message_vi)
    original = attached.get(ORIGINAL)
    if original is not None and not verdicts and not inner and original.startswith(b"%PDF-"):
        found = _examine_pdf(original, roots, at, crls, inner=True)
        return found.model_copy(update={"copy_of_original": True})
    claims = [found for found in map(_claims, attached.values()) if found[0] != "foreign"]
    kind, claimed, tax_code = claims[0] if len(claims) == 1 else ("foreign", None, None)
    if kind == "foreign" and {one.place for one in verdicts} & set(FIELDS):
        kind = "transcript"
    return _of(verdicts, form="pdf", kind=kind, claimed=claimed, tax_code=tax_code, digest=digest, at=at)


def _attached(reader: PdfFileReader) -> dict[str, bytes]:
    """Associated files by name; only those of our own making are looked for, and they are few. Raises what pyHanko raises."""
    # pyHanko's get() gives the reference, not what it refers to
    files = reader.root["/AF"] if "/AF" in reader.root.keys() else ()  # noqa: SIM118 - for that reason
    found = {}
    for number in range(min(len(files), 4)):
        specification = files[number]
        found[str(specification.get("/UF", specification.get("/F", "")))] = specification["/EF"]["/F"].data
    return found


def _claims(document: bytes) -> tuple[Kind, str | None, str | None]:
    """What an XML says it is: kind, id, tax code of the school; a foreign one when it is of none of our namespaces."""
    try:
        root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError:
        return "foreign", None, None
    if not frame.is_root(root):
        return "foreign", None, None
    ours = f"{{{frame.namespace_of(root)}}}"
    content = root.find(f"{ours}NoiDung")
    if content is None:
        return KINDS[etree.QName(root).localname], None, None
    claimed = content.findtext(f"*/{ours}MaHocBa") or content.findtext(f"*/{ours}MaBangTongHop")
    return KINDS[etree.QName(root).localname], claimed, content.findtext(f"*/{ours}MaSoThue")


def _unfit(form: Form, digest: str, kind: Kind, text: str, state: CheckState = "failed") -> Examined:
    nothing = Check(state="unchecked", text="Chưa kiểm tra được vì không đọc được chữ ký trong tệp.")
    return Examined(form=form, kind=kind, sha256=digest, integrity=Check(state=state, text=text), trust=nothing, time=nothing)


def _of(
    verdicts: Sequence[Verdict], *, form: Form, kind: Kind, claimed: str | None, tax_code: str | None, digest: str, at: datetime
) -> Examined:
    signers = tuple(_signer(one, at) for one in verdicts)
    integrity, trust, time = _whole(signers)
    if kind != "foreign":
        issued = as_issued(verdicts)
        codes = {one.code: one.message_vi for one in issued.problems}
        broken = [text for code, text in codes.items() if code not in _UNPROVEN]
        if tax_code and (seal := next((one for one in verdicts if one.place == SCHOOL), None)) is not None and seal.tax_code != tax_code:
            broken.append("Chữ ký phát hành không phải của nhà trường ghi trong học bạ (mã số thuế khác nhau).")
        if broken:
            integrity = Check(state="failed", text=" ".join([*([integrity.text] if integrity.state == "failed" else []), *broken]))
        if "not_archived" in codes and time.state == "passed":
            time = Check(state="unchecked", text=codes["not_archived"])
    return Examined(form=form, kind=kind, document=claimed, sha256=digest, integrity=integrity, trust=trust, time=time, signers=signers)


def _whole(signers: Sequence[Signer]) -> tuple[Check, Check, Check]:
    if not signers:
        none = Check(state="unchecked", text="Tệp không có chữ ký số nào.")
        return none, none, none
    return (
        _sum((one.integrity for one in signers), "Nội dung còn nguyên vẹn từ khi ký."),
        _sum((one.trust for one in signers), "Mọi chứng thư số do tổ chức được tin cậy cấp và không bị thu hồi."),
        _sum((one.time for one in signers), "Dấu thời gian chứng minh thời điểm ký của mọi chữ ký."),
    )


def _sum(checks: Iterable[Check], passed: str) -> Check:
    every = list(checks)
    state = worst(*every)
    if state == "passed":
        return Check(state=state, text=passed)
    return Check(state=state, text=" ".join(dict.fromkeys(one.text for one in every if one.state == state)))


def _signer(one: Verdict, at: datetime) -> Signer:
    return Signer(
        place=one.place,
        name=one.signer or "Không đọc được người ký",
        role=one.role,
        issuer=one.issuer,
        serial=one.serial,
        signed_at=one.signed_at,
        proved_at=one.proved_at,
        integrity=_integrity(one),
        trust=_trust(one),
        time=_time(one, at),
    )


def _integrity(one: Verdict) -> Check:
    wrong = [problem.message_vi for problem in one.problems if problem.code in _OF_INTEGRITY]
    if wrong or (not one.intact and not one.problems):
        return Check(state="failed", text=" ".join(wrong) or "Nội dung đã bị thay đổi sau khi ký.")
    partly = [problem.message_vi for problem in one.problems if problem.code in _OF_PARTS]
    if partly:
        return Check(state="unchecked", text=" ".join(partly))
    return Check(state="passed", text="Nội dung còn nguyên vẹn từ khi ký.")


def _trust(one: Verdict) -> Check:
    if not one.certificate:
        return Check(state="unchecked", text="Không đọc được chứng thư số của người ký.")
    if one.trust != "trusted":
        state, text = _TRUST_WORDS[one.trust]
        if one.trust == "untrusted" and _self_signed(one.certificate):
            text = "Chứng thư số tự ký: không tổ chức nào chứng thực người ký là ai."
        return Check(state=state, text=text)
    wrong = [problem.message_vi for problem in one.problems if problem.code not in _OF_INTEGRITY | _OF_TIME | _OF_PARTS]
    if wrong:
        return Check(state="failed", text=" ".join(wrong))
    if one.revocation == "unknown":
        return Check(state="unchecked", text="Chứng thư số do tổ chức được tin cậy cấp; chưa kiểm tra được nó có bị thu hồi hay không.")
    return Check(state="passed", text="Chứng thư số do tổ chức được tin cậy cấp và không bị thu hồi.")


def _self_signed(certificate: bytes) -> bool:
    facts = describe(certificate)
    return facts.subject == facts.issuer


def _time(one: Verdict, at: datetime) -> Check:
    wrong = [problem.message_vi for problem in one.problems if problem.code in _OF_TIME]
    if wrong:
        return Check(state="failed", text=" ".join(wrong))
    if one.signed_at is not None and one.signed_at > at + _SKEW:
        return Check(state="failed", text="Thời điểm ký do người ký khai nằm trong tương lai.")
    if one.proved_at is None:
        return Check(state="unchecked", text="Không có dấu thời gian; thời điểm ký chỉ do người ký tự khai.")
    return Check(state="passed", text="Dấu thời gian chứng minh chữ ký đã có vào thời điểm đó.")
