"""Just enough of the PDF syntax to change single dictionary entries: values stay the bytes that they are in the file."""

import re
from typing import Final

DEEPEST: Final = 100
_BLANK: Final = re.compile(rb"(?:[\x00\t\n\f\r ]+|%[^\r\n]*)*")
_TOKEN: Final = re.compile(
    rb"""(?P<open><<|\[) | (?P<close>>>|\])
    | /[^\x00\t\n\f\r ()<>\[\]{}/%]*
    | <[0-9A-Fa-f\x00\t\n\f\r ]*>
    | (?P<string>\()
    | \d+[\x00\t\n\f\r ]+\d+[\x00\t\n\f\r ]+R(?![^\x00\t\n\f\r ()<>\[\]{}/%])
    | [^\x00\t\n\f\r ()<>\[\]{}/%]+""",
    re.VERBOSE,
)
# most dictionaries in one step: nothing in them is nested more than twice; possessive, so that no input makes it slow
_NAME: Final = rb"/[^\x00\t\n\f\r ()<>\[\]{}/%\#]++"
_SIMPLE: Final = rb"""(?:
      %(name)s
    | <[0-9A-Fa-f]*+>
    | \d++\ \d++\ R(?![^\x00\t\n\f\r ()<>\[\]{}/%%])
    | \[(?:[^()<>\[\]{}%%]++|\([^()\\]*+\)|<[0-9A-Fa-f]*+>)*+\]
    | <<(?:%(plain)s|<<(?:%(plain)s)*+>>)*+>>
    | \([^()\\]*+\)
    | \d++(?=[ \r\n/>])
    )""" % {b"name": _NAME, b"plain": rb"[^()<>{}%]++|\([^()\\]*+\)|<[0-9A-Fa-f]++>"}
_ENTRY: Final = re.compile(rb"[ \r\n]*+(%s)[ \r\n]*+(%s)" % (_NAME, _SIMPLE), re.VERBOSE)
_FLAT: Final = re.compile(rb"<<(?:[ \r\n]*+%s[ \r\n]*+%s)*+[ \r\n]*+>>" % (_NAME, _SIMPLE), re.VERBOSE)
_STRING_PART: Final = re.compile(rb"(?:[^()\\]|\\.)*", re.DOTALL)
_REFERENCE: Final = re.compile(rb"(\d{1,10})[\x00\t\n\f\r ]+(\d{1,5})[\x00\t\n\f\r ]+R")
_ESCAPE: Final = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n|.))", re.DOTALL)
_ESCAPED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b"", b"\r": b"", b"\r\n": b""}


class ForeignPdf(ValueError):
    """The file is broken, or built in a way that our rendering never builds it."""


def dictionary(data: bytes, position: int = 0) -> tuple[dict[bytes, bytes], int]:
    """The entries of the dictionary that begins here, name → bytes of the value, and where it ends."""
    position = _past_blanks(data, position)
    if data[position : position + 2] != b"<<":
        raise ForeignPdf("a dictionary was expected")
    flat = _FLAT.match(data, position)
    if flat is not None:
        pairs = _ENTRY.findall(data, position + 2, flat.end())
        entries: dict[bytes, bytes] = dict(pairs)
        if len(entries) != len(pairs):
            raise ForeignPdf("a dictionary has the same key twice")
        return entries, flat.end()
    position, entries = position + 2, {}
    while True:
        position = _past_blanks(data, position)
        if data[position : position + 2] == b">>":
            return entries, position + 2
        key, position = value(data, position)
        if not key.startswith(b"/") or b"#" in key or key in entries:
            raise ForeignPdf("a dictionary has a key that is no plain name, or twice the same")
        entries[key], position = value(data, position)


def array(data: bytes) -> list[bytes]:
    """The bytes of each element."""
    position = _past_blanks(data, 0)
    if data[position : position + 1] != b"[":
        raise ForeignPdf("an array was expected")
    position += 1
    elements: list[bytes] = []
    while True:
        position = _past_blanks(data, position)
        if data[position : position + 1] == b"]":
            return elements
        element, position = value(data, position)
        elements.append(element)


def value(data: bytes, position: int) -> tuple[bytes, int]:
    """The bytes of the value that begins here, however deep it is nested, and where it ends."""
    position = start = _past_blanks(data, position)
    depth = 0
    while True:
        token = _TOKEN.match(data, position)
        if token is None:
            raise ForeignPdf("the file breaks off in the middle of an object")
        position = token.end()
        if token["open"]:
            depth += 1
            if depth > DEEPEST:
                raise ForeignPdf("an object is nested too deeply")
        elif token["close"]:
            depth -= 1
            if depth < 0:
                raise ForeignPdf("a bracket is closed that was not opened")
        elif token["string"]:
            position = _past_string(data, position)
        if depth == 0:
            return data[start:position], position
        position = _past_blanks(data, position)


def written(entries: dict[bytes, bytes]) -> bytes:
    return b"<<%s>>" % b"".join(key + b" " + content for key, content in entries.items())


def reference(data: bytes) -> tuple[int, int] | None:
    """Number and generation, when the value is a reference to an object."""
    found = _REFERENCE.fullmatch(data)
    return (int(found[1]), int(found[2])) if found else None


def integer(data: bytes | None) -> int:
    """Raises ForeignPdf for what is not there, or no number that counts something."""
    if data is None or not data.isdigit() or len(data) > 12:
        raise ForeignPdf("a number was expected")
    return int(data)


def octets(data: bytes) -> bytes:
    """The bytes that a string stands for, in whichever spelling."""
    if data.startswith(b"("):
        return _ESCAPE.sub(_unescaped, data[1:-1]) if b"\\" in data else data[1:-1]
    if data.startswith(b"<") and not data.startswith(b"<<"):
        digits = bytes(data[1:-1].translate(None, b"\x00\t\n\f\r "))
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    raise ForeignPdf("a string was expected")


def text(data: bytes) -> str:
    """What a string says."""
    raw = octets(data)
    if raw.startswith(b"\xfe\xff"):
        return raw[2:].decode("utf-16-be", errors="replace")
    return raw.decode("latin-1")


def meaning(data: bytes, depth: int = 0) -> object:
    """The value without its spelling, to be compared: what is equal says the same, though not all that says the same is equal."""
    if depth > DEEPEST:
        raise ForeignPdf("an object is nested too deeply")
    if data.startswith(b"<<"):
        return {key: meaning(each, depth + 1) for key, each in dictionary(data)[0].items()}
    if data.startswith(b"["):
        return [meaning(each, depth + 1) for each in array(data)]
    if data.startswith((b"(", b"<")):
        return ("string", octets(data))
    return reference(data) or data


def written_text(content: str) -> bytes:
    """A string for any script: UTF-16 in hexadecimal digits."""
    return b"<FEFF%s>" % content.encode("utf-16-be").hex().upper().encode("ascii")


def _past_blanks(data: bytes, position: int) -> int:
    found = _BLANK.match(data, position)
    return found.end() if found else position


def _past_string(data: bytes, position: int) -> int:
    depth = 1
    while depth:
        found = _STRING_PART.match(data, position)
        position = found.end() if found else position
        bracket = data[position : position + 1]
        if bracket not in (b"(", b")"):
            raise ForeignPdf("a string has no end")
        depth += 1 if bracket == b"(" else -1
        position += 1
    return position


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return bytes([int(found[1], 8) & 255])
    return _ESCAPED.get(found[2], found[2])
