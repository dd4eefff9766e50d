"""The tokens of the computer through PKCS#11: what is on them, and signing with one. Used by one thread at a time."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pkcs11
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11 import MGF, Attribute, CertificateType, Mechanism, ObjectClass, TokenFlag
from pkcs11 import exceptions as p11

from hocba_agent import cryptoki, troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hocba_agent.jobs import Scheme

T = TypeVar("T")
SHA256_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420")
"""The DER that stands before a SHA-256 digest in PKCS#1 v1.5 (RFC 8017, 9.2 note 1)."""
GONE = (
    p11.TokenNotPresent,
    p11.TokenNotRecognised,
    p11.DeviceRemoved,
    p11.SlotIDInvalid,
    p11.SessionHandleInvalid,
    p11.SessionClosed,
    p11.NoSuchToken,
)
WRONG_PIN = (p11.PinIncorrect, p11.PinLenRange, p11.PinInvalid)
DIRECT: Final = "direct:"
"""Before the path of a module: call its functions without python-pkcs11 (`cryptoki`), which cannot work with some vendors' modules."""
_DIGEST = Prehashed(hashes.SHA256())
_VIETNAM = timezone(timedelta(hours=7))


_direct: dict[str, cryptoki.Library] = {}
"""By path: modules called directly, because somebody chose so or python-pkcs11 failed."""


@dataclass(frozen=True)
class TokenCertificate:
    """A certificate that is no authority's, with the issuers that lie on the same token, the nearest first."""

    module: str
    token: str
    serial: bytes
    label: str
    key_id: bytes
    der: bytes
    chain: tuple[bytes, ...]

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.der).hexdigest()

    @property
    def x509(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)


@contextmanager
def _in_words() -> Iterator[None]:
    """PKCS#11's return codes as Troubles."""
    try:
        yield
    except WRONG_PIN as wrong:
        raise troubles.wrong_pin("") from wrong
    except p11.PinLocked as locked:
        raise troubles.locked_pin() from locked
    except GONE as gone:
        raise troubles.no_token() from gone
    except p11.PKCS11Error as failed:
        raise troubles.token_failed(type(failed).__name__) from failed


def _library(module: str) -> Any:
    """Raises Trouble `no_driver` when neither way into the module works."""
    path = module.removeprefix(DIRECT)
    if path in _direct:
        return _direct[path]
    if not module.startswith(DIRECT):
        try:
            return pkcs11.lib(path)
        except (p11.PKCS11Error, MemoryError, OSError):  # MemoryError is how python-pkcs11 fails with some vendors' modules
            return _directly(module)
    return _directly(module)


def _directly(module: str) -> cryptoki.Library:
    """Raises Trouble `no_driver`."""
    path = module.removeprefix(DIRECT)
    try:
        return _direct.setdefault(path, cryptoki.Library(path))
    except (p11.PKCS11Error, OSError) as broken:
        raise troubles.broken_driver(path) from broken


def called_directly(module: str) -> bool:
    return module.removeprefix(DIRECT) in _direct


def _either_way(module: str, act: Callable[[Any], T]) -> T:
    """`act` on the module; once more with its functions called directly where python-pkcs11 runs out of room. Raises Trouble."""
    try:
        return act(_library(module))
    except MemoryError:
        if called_directly(module):
            raise
        return act(_directly(module))


def readers(modules: Sequence[str]) -> int:
    """How many places for a token the modules know, with or without one. Raises Trouble `no_driver`, `token_failed`."""
    with _in_words():
        return sum(_either_way(module, lambda library: len(library.get_slots())) for module in modules)


def tries_left(token: Any) -> str:
    """What a token says of the tries left for its PIN; "" when nothing is wrong. Raises Trouble `pin_locked`."""
    if token.flags & TokenFlag.USER_PIN_LOCKED:
        raise troubles.locked_pin()
    return _tries(token.flags)


def present(modules: Sequence[str]) -> list[tuple[str, Any]]:
    """(module, token) of every token that is plugged in and set up.

    Raises Trouble: `no_driver` when no module can be used, `no_token` when none has a token.
    """
    if not modules:
        raise troubles.no_driver()
    found = []
    broken: list[troubles.Trouble] = []
    for module in modules:
        try:
            found += [(module, token) for token in _either_way(module, _tokens_of)]
        except troubles.Trouble as trouble:
            broken.append(trouble)
    if len(broken) == len(modules):
        raise broken[0]
    if not found:
        raise troubles.no_token()
    return found


def _tokens_of(library: Any) -> list[Any]:
    found = []
    with _in_words():
        slots = library.get_slots(token_present=True)
    for slot in slots:
        try:
            token = slot.get_token()
        except p11.PKCS11Error:
            continue  # pulled out a moment ago: modules answer with all sorts of codes, and the others are still there
        if token.flags & TokenFlag.TOKEN_INITIALIZED:
            found.append(token)
    return found


def look_anew(modules: Sequence[str]) -> None:
    """Some modules see only the tokens that were there when they were started. Not while a token is unlocked."""
    for module in modules:
        with suppress(troubles.Trouble), _in_words():  # one that cannot be used is reported by whoever needs it
            _library(module).reinitialize()


def certificates(modules: Sequence[str]) -> list[TokenCertificate]:
    """What the plugged-in tokens show without a PIN. Raises Trouble: `no_driver`, `no_token`, `no_certificate`."""
    look_anew(modules)
    found = [one for module, token in present(modules) for one in _certificates_on(module, token)]
    if not found:
        raise troubles.no_certificate()
    return found


def _certificates_on(module: str, token: Any) -> list[TokenCertificate]:
    """Reading a certificate is where python-pkcs11 runs out of room with some modules: then the same token is looked for directly."""
    try:
        return _certificates_of(module, token)
    except MemoryError:
        if called_directly(module):
            raise
        again = _tokens_of(_directly(module))
        return [one for same in again if bytes(same.serial) == bytes(token.serial) for one in _certificates_of(module, same)]


def _certificates_of(module: str, token: Any) -> list[TokenCertificate]:
    own: list[tuple[str, bytes, bytes, x509.Certificate]] = []
    authorities: list[x509.Certificate] = []
    with _in_words(), token.open() as session:
        wanted = {Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.CERTIFICATE_TYPE: CertificateType.X_509}
        for stored in session.get_objects(wanted):
            der = bytes(stored[Attribute.VALUE])
            try:
                read = x509.load_der_x509_certificate(der)
            except ValueError:
                continue  # something else in the certificate's place: not one to sign with
            if _is_authority(read):
                authorities.append(read)
            else:
                own.append((str(stored[Attribute.LABEL]).strip(), bytes(stored[Attribute.ID]), der, read))
    return [
        TokenCertificate(module, token.label.strip(), bytes(token.serial), label, key_id, der, _chain(read, authorities))
        for label, key_id, der, read in own
    ]


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _chain(certificate: x509.Certificate, authorities: Sequence[x509.Certificate]) -> tuple[bytes, ...]:
    chain: list[x509.Certificate] = []
    last = certificate
    while last.issuer != last.subject:
        issuer = next((one for one in authorities if one.subject == last.issuer and one not in chain), None)
        if issuer is None:
            break
        chain.append(issuer)
        last = issuer
    return tuple(one.public_bytes(Encoding.DER) for one in chain)


def usable(certificate: TokenCertificate, at: datetime) -> None:
    """Raises Trouble `certificate_out_of_date`."""
    read = certificate.x509
    if at > read.not_valid_after_utc:
        raise troubles.expired_certificate(day(read.not_valid_after_utc))
    if at < read.not_valid_before_utc:
        raise troubles.early_certificate(day(read.not_valid_before_utc))


def day(moment: datetime) -> str:
    return moment.astimezone(_VIETNAM).strftime("%d/%m/%Y")


class Unlocked:
    """A token after its PIN: signs until it is closed. The PIN is kept no longer than that, for keys that want it for each use."""

    def __init__(self, session: Any, pin: str) -> None:
        self._session = session
        self._pin = pin
        self._keys: dict[bytes, tuple[Any, set[Mechanism]]] = {}

    def sign(self, certificate: TokenCertificate, text: bytes, scheme: Scheme) -> bytes:
        """SHA-256 of the text, made and signed here; ECDSA as DER. Raises Trouble: no_certificate, no_token, token_failed, refused."""
        try:
            with _in_words():
                value = self._value(certificate, text, scheme)
        except troubles.Trouble as trouble:
            if trouble.code in {"token_failed", "no_certificate"}:
                _token_of(certificate)  # "no token" says more than the code with which the module noticed
            raise
        _check(certificate, text, value, scheme)
        return value

    def _value(self, certificate: TokenCertificate, text: bytes, scheme: Scheme) -> bytes:
        if certificate.key_id not in self._keys:
            keys = list(self._session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: certificate.key_id}))
            if not keys:
                raise troubles.no_certificate()
            self._keys[certificate.key_id] = keys[0], self._session.token.slot.get_mechanisms()
        key, able = self._keys[certificate.key_id]
        return _value(key, able, text, scheme, self._pin if _asks_each_time(key) else None)

    def close(self) -> None:
        self._pin = ""
        try:
            self._session.close()
        except p11.PKCS11Error:
            return  # the token is gone, and its session with it


def unlock(certificate: TokenCertificate, pin: str) -> Unlocked:
    """Raises Trouble: `pin_wrong` with what the token says of the tries left, `pin_locked`, `no_token`, `token_failed`."""
    token = _token_of(certificate)
    if token.flags & TokenFlag.USER_PIN_LOCKED:
        raise troubles.locked_pin()
    try:
        with _in_words():
            return Unlocked(token.open(user_pin=pin), pin)
    except troubles.Trouble as trouble:
        if trouble.code != "pin_wrong":
            raise
        flags = _token_of(certificate).flags
        if flags & TokenFlag.USER_PIN_LOCKED:
            raise troubles.locked_pin() from trouble
        raise troubles.wrong_pin(_tries(flags)) from trouble


def warning(certificate: TokenCertificate) -> str:
    """What the token says of the tries left before a PIN is asked; "" when nothing is wrong. Raises Trouble: pin_locked, no_token."""
    return tries_left(_token_of(certificate))


def _tries(flags: TokenFlag) -> str:
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        return troubles.FINAL_TRY
    return troubles.TRIES_LOW if flags & TokenFlag.USER_PIN_COUNT_LOW else ""


def _token_of(certificate: TokenCertificate) -> Any:
    for module, token in present([certificate.module]):
        if module == certificate.module and bytes(token.serial) == certificate.serial and token.label.strip() == certificate.token:
            return token
    raise troubles.no_token()


def _asks_each_time(key: Any) -> bool:
    try:
        return bool(key[Attribute.ALWAYS_AUTHENTICATE])
    except (p11.AttributeTypeInvalid, KeyError):
        return False


def _value(key: Any, able: set[Mechanism], text: bytes, scheme: Scheme, pin: str | None) -> bytes:
    digest = hashlib.sha256(text).digest()
    again = {} if pin is None else {"pin": pin}
    if scheme == "ecdsa":
        raw = bytes(key.sign(digest, mechanism=Mechanism.ECDSA, **again))
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
    if scheme == "rsa-pss":
        param = (Mechanism.SHA256, MGF.SHA256, 32)
        if Mechanism.RSA_PKCS_PSS in able:
            return bytes(key.sign(digest, mechanism=Mechanism.RSA_PKCS_PSS, mechanism_param=param, **again))
        return bytes(key.sign(text, mechanism=Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=param, **again))
    if Mechanism.RSA_PKCS in able:
        return bytes(key.sign(SHA256_INFO + digest, mechanism=Mechanism.RSA_PKCS, **again))
    return bytes(key.sign(text, mechanism=Mechanism.SHA256_RSA_PKCS, **again))


def _check(certificate: TokenCertificate, text: bytes, value: bytes, scheme: Scheme) -> None:
    """The value fits the certificate, so that a wrong pair of key and certificate is found here. Raises Trouble `token_failed`."""
    key = certificate.x509.public_key()
    digest = hashlib.sha256(text).digest()
    try:
        if isinstance(key, rsa.RSAPublicKey) and scheme == "rsa-pkcs1":
            key.verify(value, digest, padding.PKCS1v15(), _DIGEST)
        elif isinstance(key, rsa.RSAPublicKey) and scheme == "rsa-pss":
            key.verify(value, digest, padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32), _DIGEST)
        elif isinstance(key, ec.EllipticCurvePublicKey) and scheme == "ecdsa":
            key.verify(value, digest, ec.ECDSA(_DIGEST))
        else:
            raise troubles.refused("cách ký không hợp với loại khoá của chứng thư số")
    except InvalidSignature as wrong:
        raise troubles.token_failed("chữ ký không khớp với chứng thư số") from wrong


def find(fingerprint: str, modules: Sequence[str]) -> TokenCertificate:
    """Raises Trouble: `no_driver`, `no_token`, `no_certificate` when no token has that certificate."""
    for certificate in certificates(modules):
        if certificate.fingerprint == fingerprint:
            return certificate
    raise troubles.no_certificate()


def now() -> datetime:
    return datetime.now(UTC)
