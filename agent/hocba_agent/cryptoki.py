"""A second way to a vendor's PKCS#11 module, for modules that python-pkcs11 cannot work with: its functions called directly.

It has what `tokens` needs, under python-pkcs11's names: slots, tokens, sessions, objects and signing. Every function raises what
python-pkcs11 raises for the same return code. Layouts are those of PKCS#11 2.40, which packs its structures on Windows alone.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import POINTER, byref, c_char, c_ubyte, c_ulong, c_void_p
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from pkcs11 import Attribute, Mechanism, TokenFlag
from pkcs11 import exceptions as p11

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACK: Final = 1 if sys.platform == "win32" else 0
UNAVAILABLE: Final = c_ulong(-1).value
SERIAL_SESSION: Final = 0x4
USER, CONTEXT_SPECIFIC = 1, 2
"""CKU_USER; CKU_CONTEXT_SPECIFIC is for keys that want the PIN for each use."""
AT_ONCE: Final = 64
LONGEST_SIGNATURE: Final = 1024
MOST_MECHANISMS: Final = 1000

# fmt: off
FUNCTIONS: Final = (
    "Initialize", "Finalize", "GetInfo", "GetFunctionList", "GetSlotList", "GetSlotInfo", "GetTokenInfo", "GetMechanismList",
    "GetMechanismInfo", "InitToken", "InitPIN", "SetPIN", "OpenSession", "CloseSession", "CloseAllSessions", "GetSessionInfo",
    "GetOperationState", "SetOperationState", "Login", "Logout", "CreateObject", "CopyObject", "DestroyObject", "GetObjectSize",
    "GetAttributeValue", "SetAttributeValue", "FindObjectsInit", "FindObjects", "FindObjectsFinal", "EncryptInit", "Encrypt",
    "EncryptUpdate", "EncryptFinal", "DecryptInit", "Decrypt", "DecryptUpdate", "DecryptFinal", "DigestInit", "Digest", "DigestUpdate",
    "DigestKey", "DigestFinal", "SignInit", "Sign",
)
# fmt: on
"""The beginning of CK_FUNCTION_LIST, in its order."""

OK, ATTRIBUTE_SENSITIVE, ATTRIBUTE_TYPE_INVALID = 0x0, 0x11, 0x12
ALREADY_LOGGED_IN, ALREADY_INITIALIZED = 0x100, 0x191
RAISED: Final[Mapping[int, type[p11.PKCS11Error]]] = {
    0x02: p11.HostMemory,
    0x03: p11.SlotIDInvalid,
    0x05: p11.GeneralError,
    0x06: p11.FunctionFailed,
    ATTRIBUTE_SENSITIVE: p11.AttributeSensitive,
    ATTRIBUTE_TYPE_INVALID: p11.AttributeTypeInvalid,
    0x30: p11.DeviceError,
    0x31: p11.DeviceMemory,
    0x32: p11.DeviceRemoved,
    0x63: p11.KeyTypeInconsistent,
    0x70: p11.MechanismInvalid,
    0x71: p11.MechanismParamInvalid,
    0xA0: p11.PinIncorrect,
    0xA1: p11.PinInvalid,
    0xA2: p11.PinLenRange,
    0xA3: p11.PinExpired,
    0xA4: p11.PinLocked,
    0xB0: p11.SessionClosed,
    0xB3: p11.SessionHandleInvalid,
    0xE0: p11.TokenNotPresent,
    0xE1: p11.TokenNotRecognised,
}


class _Structure(ctypes.Structure):
    _pack_ = PACK


class _FunctionList(_Structure):
    _fields_: ClassVar = [("version", c_ubyte * 2), *((name, c_void_p) for name in FUNCTIONS)]


class _TokenInfo(_Structure):
    _fields_: ClassVar = [
        ("label", c_char * 32),
        ("manufacturer", c_char * 32),
        ("model", c_char * 16),
        ("serial", c_char * 16),
        ("flags", c_ulong),
        ("numbers", c_ulong * 10),
        ("hardware", c_ubyte * 2),
        ("firmware", c_ubyte * 2),
        ("time", c_char * 16),
    ]


class _Attribute(_Structure):
    _fields_: ClassVar = [("type", c_ulong), ("value", c_void_p), ("length", c_ulong)]


class _Mechanism(_Structure):
    _fields_: ClassVar = [("mechanism", c_ulong), ("parameter", c_void_p), ("length", c_ulong)]


class _PssParameters(_Structure):
    _fields_: ClassVar = [("hash", c_ulong), ("mgf", c_ulong), ("salt", c_ulong)]


class Library:
    def __init__(self, path: str) -> None:
        """Raises OSError for a file that is no library, PKCS11Error for one that is no PKCS#11 module or does not start."""
        self._loaded = ctypes.CDLL(path)
        try:
            get = self._loaded.C_GetFunctionList
        except AttributeError as missing:
            raise p11.GeneralError("no PKCS#11 module") from missing
        get.argtypes, get.restype = [POINTER(POINTER(_FunctionList))], c_ulong
        found = POINTER(_FunctionList)()
        _checked(get(byref(found)))
        self._functions = found.contents
        self._initialize()

    def call(self, name: str, *arguments: Any, also: tuple[int, ...] = ()) -> int:
        """The return code, which is CKR_OK or one of `also`."""
        function = ctypes.CFUNCTYPE(c_ulong, *(type(one) if isinstance(one, c_ulong) else c_void_p for one in arguments))
        given = [one if isinstance(one, c_ulong) else ctypes.cast(one, c_void_p) if one is not None else None for one in arguments]
        return _checked(int(function(getattr(self._functions, name))(*given)), also)

    def _initialize(self) -> None:
        self.call("Initialize", None, also=(ALREADY_INITIALIZED,))

    def reinitialize(self) -> None:
        self.call("Finalize", None)
        self._initialize()

    def get_slots(self, *, token_present: bool = False) -> list[Slot]:
        count = c_ulong()
        present = ctypes.c_ubyte(1 if token_present else 0)
        listing = ctypes.CFUNCTYPE(c_ulong, ctypes.c_ubyte, c_void_p, c_void_p)(self._functions.GetSlotList)
        _checked(listing(present, None, ctypes.addressof(count)))
        slots = (c_ulong * max(1, count.value))()
        _checked(listing(present, ctypes.addressof(slots), ctypes.addressof(count)))
        return [Slot(self, slots[number]) for number in range(count.value)]


@dataclass(frozen=True)
class Slot:
    library: Library
    number: int

    def get_token(self) -> Token:
        info = _TokenInfo()
        self.library.call("GetTokenInfo", c_ulong(self.number), byref(info))
        label = bytes(info.label).decode("utf-8", "replace").rstrip(" ")
        return Token(self, label, bytes(info.serial).rstrip(b" "), TokenFlag(info.flags))

    def get_mechanisms(self) -> set[Mechanism]:
        """Those that have a name; vendors have more of their own."""
        count = c_ulong()
        self.library.call("GetMechanismList", c_ulong(self.number), None, byref(count))
        if count.value > MOST_MECHANISMS:
            raise p11.GeneralError("no list of mechanisms")
        found = (c_ulong * max(1, count.value))()
        self.library.call("GetMechanismList", c_ulong(self.number), found, byref(count))
        named = {int(one) for one in Mechanism}
        return {Mechanism(found[number]) for number in range(count.value) if found[number] in named}


@dataclass(frozen=True)
class Token:
    slot: Slot
    label: str
    serial: bytes
    flags: TokenFlag

    def open(self, user_pin: str | None = None) -> Session:
        """Raises PinIncorrect, PinLocked … with nothing left open."""
        library, handle = self.slot.library, c_ulong()
        library.call("OpenSession", c_ulong(self.slot.number), c_ulong(SERIAL_SESSION), None, None, byref(handle))
        session = Session(library, self, handle.value)
        if user_pin is not None:
            try:
                session.log_in(USER, user_pin)
            except p11.PKCS11Error:
                session.close()
                raise
        return session


@dataclass(frozen=True)
class Session:
    library: Library
    token: Token
    handle: int

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """A sign-in lasts as long as any session of this program, and tokens are used by one thread: this ends it, too."""
        self.library.call("CloseSession", c_ulong(self.handle))

    def log_in(self, kind: int, pin: str) -> None:
        text = pin.encode()
        self.library.call("Login", c_ulong(self.handle), c_ulong(kind), text, c_ulong(len(text)), also=(ALREADY_LOGGED_IN,))

    def get_objects(self, wanted: Mapping[Attribute, Any]) -> Iterator[Object]:
        kept = [_buffer(value) for value in wanted.values()]
        template = (_Attribute * len(kept))(
            *(_Attribute(int(kind), ctypes.addressof(value), ctypes.sizeof(value)) for kind, value in zip(wanted, kept, strict=True))
        )
        self.library.call("FindObjectsInit", c_ulong(self.handle), template, c_ulong(len(kept)))
        found: list[int] = []
        try:
            some, count = (c_ulong * AT_ONCE)(), c_ulong(1)
            while count.value:
                self.library.call("FindObjects", c_ulong(self.handle), some, c_ulong(AT_ONCE), byref(count))
                found += some[: count.value]
        finally:
            self.library.call("FindObjectsFinal", c_ulong(self.handle))
        return (Object(self, handle) for handle in found)


@dataclass(frozen=True)
class Object:
    session: Session
    handle: int

    def __getitem__(self, kind: Attribute) -> Any:
        """Text for a label, a truth for ALWAYS_AUTHENTICATE, bytes for the others. Raises AttributeTypeInvalid, AttributeSensitive."""
        raw = self._raw(kind)
        if kind is Attribute.LABEL:
            return raw.decode("utf-8", "replace")
        return any(raw) if kind is Attribute.ALWAYS_AUTHENTICATE else raw

    def _raw(self, kind: Attribute) -> bytes:
        asked = _Attribute(int(kind), None, 0)
        self._ask(asked)
        if asked.length == UNAVAILABLE:
            raise p11.AttributeTypeInvalid
        room = ctypes.create_string_buffer(max(1, asked.length))
        asked.value = ctypes.addressof(room)
        self._ask(asked)
        return room.raw[: asked.length]

    def _ask(self, asked: _Attribute) -> None:
        self.session.library.call("GetAttributeValue", c_ulong(self.session.handle), c_ulong(self.handle), byref(asked), c_ulong(1))

    def sign(
        self, data: bytes, *, mechanism: Mechanism, mechanism_param: tuple[int, int, int] | None = None, pin: str | None = None
    ) -> bytes:
        """`mechanism_param`: hash, mask generation function and salt length of RSA-PSS."""
        library, session = self.session.library, c_ulong(self.session.handle)
        parameters = _PssParameters(*map(int, mechanism_param)) if mechanism_param else None
        room = (ctypes.addressof(parameters), ctypes.sizeof(parameters)) if parameters else (None, 0)
        chosen = _Mechanism(int(mechanism), *room)
        library.call("SignInit", session, byref(chosen), c_ulong(self.handle))
        if pin is not None:
            self.session.log_in(CONTEXT_SPECIFIC, pin)
        value, length = ctypes.create_string_buffer(LONGEST_SIGNATURE), c_ulong(LONGEST_SIGNATURE)
        library.call("Sign", session, data, c_ulong(len(data)), value, byref(length))
        return value.raw[: length.value]


def _buffer(value: Any) -> Any:
    if isinstance(value, bytes):
        return (c_char * len(value)).from_buffer_copy(value)
    return c_ulong(int(value))


def _checked(code: int, also: tuple[int, ...] = ()) -> int:
    if code == OK or code in also:
        return code
    raise RAISED.get(code, p11.PKCS11Error)(f"0x{code:x}")
