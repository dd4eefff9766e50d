"""What proves later that certificates were good: the chain's certificates, OCSP responses and revocation lists.

`Prover` fetches and judges it for any certificate, `ValidationSource` for the signers of a document and the timestamping unit, by
pyhanko-certvalidator. An address in a certificate is asked only after its path has been validated up to a configured root.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar

from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from pydantic import BaseModel, ConfigDict
from pyhanko_certvalidator import ValidationContext, find_valid_path
from pyhanko_certvalidator.authority import AuthorityWithCert
from pyhanko_certvalidator.errors import CRLValidationError, OCSPValidationError, PathError, RevokedError, ValidationError
from pyhanko_certvalidator.fetchers.aiohttp_fetchers import AIOHttpFetcherBackend
from pyhanko_certvalidator.fetchers.api import FetchLimits
from pyhanko_certvalidator.revinfo.archival import OCSPContainer
from pyhanko_certvalidator.revinfo.validate_crl import verify_crl
from pyhanko_certvalidator.revinfo.validate_ocsp import verify_ocsp_response
from pyhanko_certvalidator.util import get_ocsp_urls

from services.chassis import clock
from services.means import x509
from services.means.timestamps import TimestampRefused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence

    import aiohttp
    from pyhanko_certvalidator.authority import Authority
    from pyhanko_certvalidator.fetchers.api import Fetchers
    from pyhanko_certvalidator.path import ValidationPath

    from services.means.timestamps import TimestampAuthority, Unit

KEPT_FOR: Final = dt.timedelta(minutes=5)
MOST_KEPT: Final = 2048
CLOCKS_DIFFER: Final = dt.timedelta(seconds=30)
TIMEOUT_SECONDS: Final = 10.0

# the fetchers tell whose certificate they ask about
logging.getLogger("pyhanko_certvalidator.fetchers").setLevel(logging.WARNING)

Flaw = Literal["revoked", "expired", "not_yet_valid", "untrusted", "incomplete_chain", "no_revocation_service"]
Held = TypeVar("Held", bound="_Kept")
Result = TypeVar("Result")


class ValidationData(BaseModel):
    """All DER. Enough to judge every signer of one document, the issuers in between and the timestamping authority."""

    model_config = ConfigDict(frozen=True)

    certificates: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()


class ValidationDataUnavailable(OSError):
    """Neither the responder nor the list of an issuer could be had, or what they said speaks for another time. May pass."""


class Unprovable(ValueError):
    """A certificate can never be shown to have been good.

    Its text and its causes name serial number and issuer only, as they reach the log; `message_vi` names the holder.
    `certificate` is the flawed one, which may be an issuer's. `suspended`: it is on hold (RFC 5280 certificateHold) and may come back.
    """

    def __init__(self, certificate: bytes, code: Flaw, since: dt.datetime | None = None, *, suspended: bool = False) -> None:
        facts = x509.describe(certificate)
        self.certificate = certificate
        self.code = code
        self.since = since
        self.suspended = suspended
        self.message_vi = _WORDS[code].format(who=facts.subject, since=f"{clock.in_vietnam(since):%H:%M %d/%m/%Y}" if since else "")
        super().__init__(f"certificate {facts.serial} of {facts.issuer}: {code}{f' since {since:%Y-%m-%dT%H:%M:%SZ}' if since else ''}")


_WORDS: Final[dict[Flaw, str]] = {
    "revoked": "Chứng thư số của {who} đã bị thu hồi từ {since}.",
    "expired": "Chứng thư số của {who} hoặc của đơn vị cấp đã hết hạn.",
    "not_yet_valid": "Chứng thư số của {who} hoặc của đơn vị cấp chưa có hiệu lực.",
    "untrusted": "Chứng thư số của {who} không do tổ chức cung cấp dịch vụ chứng thực được tin cậy cấp.",
    "incomplete_chain": "Thiếu chứng thư số của đơn vị cấp cho {who}, không kiểm tra được đến chứng thư số gốc.",
    "no_revocation_service": "Chứng thư số của {who} không ghi nơi tra cứu tình trạng thu hồi.",
}


@dataclass(frozen=True)
class _Kept:
    until: dt.datetime


@dataclass(frozen=True)
class _Proof(_Kept):
    """What shows that one certificate is not revoked."""

    ocsps: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class _Lists(_Kept):
    lists: tuple[asn1_crl.CertificateList, ...]
    encoded: tuple[bytes, ...]


@dataclass(frozen=True)
class _Proven(_Kept):
    """Everything about one signer."""

    data: ValidationData


class _Shared(Generic[Held]):
    """Results that are kept for a while, the least recently used making room; whoever asks meanwhile waits for the same work."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._work: OrderedDict[Hashable, asyncio.Task[Held]] = OrderedDict()

    async def get(self, key: Hashable, work: Callable[[], Awaitable[Held]]) -> Held:
        task = self._work.get(key)
        if task is None or (task.done() and not _usable(task)):
            task = self._work[key] = asyncio.ensure_future(work())
        self._work.move_to_end(key)
        while len(self._work) > self._most:
            self._work.popitem(last=False)
        # one who gives up waiting must not take the work away from the others
        return await asyncio.shield(task)


def _usable(task: asyncio.Task[Any]) -> bool:
    return not task.cancelled() and task.exception() is None and clock.now() < task.result().until


class Prover:
    """Proves certificates one by one; what is fetched is kept for minutes, at most half of the way to its next update."""

    def __init__(
        self,
        roots: Sequence[bytes],
        session: aiohttp.ClientSession,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        most_kept: int = MOST_KEPT,
    ) -> None:
        """`roots` are DER; `timeout_seconds` is for each answer of a responder or list."""
        self._roots = tuple(roots)
        self._fetching = AIOHttpFetcherBackend(session, per_request_timeout=timeout_seconds, limits=FetchLimits(max_requests=10))
        self._signers: _Shared[_Proven] = _Shared(most_kept)
        self._proofs: _Shared[_Proof] = _Shared(most_kept)
        self._lists: _Shared[_Lists] = _Shared(most_kept)

    async def prove(self, certificate: bytes, chain: Sequence[bytes]) -> ValidationData:
        """What shows that the certificate and its issuers (DER) are good now.

        Raises Unprovable; ValidationDataUnavailable when trying later may help.
        """
        return (await self._signer(certificate, tuple(chain))).data

    async def lists(self, certificate: bytes, chain: Sequence[bytes]) -> tuple[bytes, ...]:
        """The revocation lists (DER) that show the certificate to be good now, its issuers shown to be good as well.

        Empty when no list can be had. Raises Unprovable; ValidationDataUnavailable when an issuer cannot be asked about.
        """
        path = await self._valid_path(certificate, tuple(chain))
        issuers = tuple(path.iter_certs(include_root=False))[:-1]
        await _every([self._proof(issuer, path, responder_first=False) for issuer in issuers])
        proof = await self._by_lists(path.last, path)
        return proof.crls if proof is not None else ()

    async def _signer(self, certificate: bytes, chain: tuple[bytes, ...]) -> _Proven:
        return await self._signers.get((certificate, chain), lambda: self._prove(certificate, chain))

    async def _prove(self, certificate: bytes, chain: tuple[bytes, ...]) -> _Proven:
        path = await self._valid_path(certificate, chain)
        issuers = tuple(path.iter_certs(include_root=False))[:-1]
        proofs = await _every(
            [
                self._proof(path.last, path, responder_first=True),
                *(self._proof(issuer, path, responder_first=False) for issuer in issuers),
            ]
        )
        parts = [ValidationData(certificates=tuple(i.dump() for i in issuers))]
        parts += [ValidationData(ocsps=proof.ocsps, crls=proof.crls) for proof in proofs]
        return _Proven(min(proof.until for proof in proofs), _union(parts))

    async def _valid_path(self, certificate: bytes, chain: tuple[bytes, ...]) -> ValidationPath:
        context = self._context([x509.load_asn1(each) for each in chain])
        leaf = x509.load_asn1(certificate)
        try:
            path: ValidationPath = await find_valid_path(leaf, context.path_builder.async_build_paths_lazy(leaf), context)
        except (PathError, ValidationError):
            state = x509.trust(certificate, chain, self._roots, at=clock.now()).state
            raise Unprovable(certificate, "untrusted" if state == "trusted" else state) from None
        return path

    def _context(self, known: Iterable[asn1_x509.Certificate], **more: Any) -> ValidationContext:
        return ValidationContext(
            other_certs=known,
            trust_roots=[x509.load_asn1(root) for root in self._roots],
            moment=clock.now(),
            allow_fetching=False,
            revocation_mode="soft-fail",
            time_tolerance=CLOCKS_DIFFER,
            **more,
        )

    async def _proof(self, certificate: asn1_x509.Certificate, path: ValidationPath, *, responder_first: bool) -> _Proof:
        """End certificates are asked for at the responder, as lists grow; issuers' own lists are short and rarely renewed."""

        async def work() -> _Proof:
            ways = (self._by_responder, self._by_lists) if responder_first else (self._by_lists, self._by_responder)
            for way in ways:
                if (proof := await way(certificate, path)) is not None:
                    return proof
            if not get_ocsp_urls(certificate) and not certificate.crl_distribution_points:
                raise Unprovable(certificate.dump(), "no_revocation_service")
            raise ValidationDataUnavailable(f"no revocation data for certificate {certificate.serial_number:X}")

        return await self._proofs.get(certificate.dump(), work)

    async def _by_responder(self, certificate: asn1_x509.Certificate, path: ValidationPath) -> _Proof | None:
        issuer = path.find_issuing_authority(certificate)
        try:
            encoded = (await self._fetchers().ocsp_fetcher.fetch(certificate, issuer)).dump()
            answers = OCSPContainer.load_multi(asn1_ocsp.OCSPResponse.load(encoded))
            await verify_ocsp_response(certificate, path, self._context(path.iter_certs(include_root=False), ocsps=answers))
        except RevokedError as revoked:
            raise _revoked(certificate, revoked) from None
        except (OCSPValidationError, ValidationError, OSError, ValueError, TypeError):
            return None
        try:
            proofs = await self._responders(answers[0], path, issuer)
        except (Unprovable, ValidationDataUnavailable):
            return None
        single = [answer.extract_single_response() for answer in answers]
        until = min([_until(*(each["next_update"].native for each in single if each is not None)), *(p.until for p in proofs)])
        return _Proof(until, (encoded,), tuple(one for p in proofs for one in p.crls))

    async def _responders(self, answer: OCSPContainer, path: ValidationPath, issuer: Authority) -> list[_Proof]:
        """A responder's certificate without OCSPNoCheck has to be proven as well, and only a list can do that."""
        response = answer.extract_basic_ocsp_response()
        if response is None or not isinstance(issuer, AuthorityWithCert):
            return []
        known = {each.dump() for each in path.iter_certs(include_root=True)}
        proofs = []
        for certificate in response["certs"] or ():
            if certificate.ocsp_no_check_value is None and certificate.dump() not in known:
                proof = await self._by_lists(certificate, path.truncate_to_and_append(issuer.certificate, certificate))
                if proof is None:
                    raise ValidationDataUnavailable(f"no revocation list for OCSP responder {certificate.serial_number:X}")
                proofs.append(proof)
        return proofs

    async def _by_lists(self, certificate: asn1_x509.Certificate, path: ValidationPath) -> _Proof | None:
        points = certificate.crl_distribution_points_value
        if points is None:
            return None
        try:
            fetched = await self._lists.get((certificate.issuer.dump(), points.dump()), lambda: self._fetch_lists(certificate))
        except (CRLValidationError, OSError, ValueError, TypeError):
            return None
        both = list(zip(fetched.lists, fetched.encoded, strict=True))
        # one list as a rule; several that only speak for the certificate together are the exception
        for some in (*([one] for one in both), both):
            try:
                context = self._context(path.iter_certs(include_root=False), crls=[parsed for parsed, _ in some])
                await verify_crl(certificate, path, context, use_deltas=False)
            except RevokedError as revoked:
                raise _revoked(certificate, revoked) from None
            except (CRLValidationError, ValidationError, ValueError, TypeError):
                continue
            return _Proof(fetched.until, crls=tuple(encoded for _, encoded in some))
        return None

    async def _fetch_lists(self, certificate: asn1_x509.Certificate) -> _Lists:
        encoded = tuple(each.dump() for each in await self._fetchers().crl_fetcher.fetch(certificate, use_deltas=False))
        # judged as it will be kept, not as it came
        lists = tuple(asn1_crl.CertificateList.load(each) for each in encoded)
        until = _until(*(each["tbs_cert_list"]["next_update"].native for each in lists))
        return _Lists(until, lists, encoded)

    def _fetchers(self) -> Fetchers:
        # new ones each time, as they keep every answer, also failures, for ever
        return self._fetching.get_fetchers()


class ValidationSource(Prover):
    """`gather` for any number of documents at once."""

    def __init__(
        self,
        roots: Sequence[bytes],
        authority: TimestampAuthority,
        session: aiohttp.ClientSession,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        most_kept: int = MOST_KEPT,
    ) -> None:
        """`roots` are DER. Every result also proves the unit that makes `authority`'s timestamps."""
        super().__init__(roots, session, timeout_seconds=timeout_seconds, most_kept=most_kept)
        self._authority = authority

    async def gather(self, signers: Iterable[tuple[bytes, Sequence[bytes]]]) -> ValidationData:
        """What proves the given signers (certificate and issuers, DER) and the timestamping unit now, and nothing else.

        Raises Unprovable for a signer; ValidationDataUnavailable or TimestampsUnavailable when trying later may help;
        TimestampRefused when the unit itself cannot be relied on.
        """
        unit = await self._authority.unit()
        proofs = [self.prove(certificate, chain) for certificate, chain in signers]
        return _union(await _every([*proofs, self._prove_unit(unit)]))

    async def _prove_unit(self, unit: Unit) -> ValidationData:
        try:
            return await self.prove(unit.certificate, unit.chain)
        except Unprovable as problem:
            # no signer's fault
            raise TimestampRefused(f"the timestamping unit cannot be proven: {problem}") from problem


def _revoked(certificate: asn1_x509.Certificate, answer: RevokedError) -> Unprovable:
    return Unprovable(certificate.dump(), "revoked", answer.revocation_dt, suspended=answer.reason.native == "certificate_hold")


async def _every(works: Iterable[Awaitable[Result]]) -> list[Result]:
    """All results, when nothing is under way any more; what can never be mended is raised before what may pass."""
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    for problem in sorted((o for o in outcomes if isinstance(o, BaseException)), key=lambda o: not isinstance(o, Unprovable)):
        raise problem
    return [o for o in outcomes if not isinstance(o, BaseException)]


def _until(*next_updates: dt.datetime | None) -> dt.datetime:
    now = clock.now()
    return min([now + KEPT_FOR, *(now + (moment - now) / 2 for moment in next_updates if moment is not None)])


def _union(parts: Iterable[ValidationData]) -> ValidationData:
    parts = list(parts)
    return ValidationData(
        certificates=tuple(dict.fromkeys(each for part in parts for each in part.certificates)),
        ocsps=tuple(dict.fromkeys(each for part in parts for each in part.ocsps)),
        crls=tuple(dict.fromkeys(each for part in parts for each in part.crls)),
    )
