"""Values of spreadsheet cells: cleaned text, codes, dates, marks; and the key by which Vietnamese headers are compared.

Every reader either returns a clean value or raises `BadCell` with a reason in Vietnamese. A blank cell is "" everywhere.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

Cell = str | int | float | bool | dt.date | dt.datetime | dt.time | dt.timedelta

# Eth and African D look like Đ on screen and are typed by some keyboards; they count as Đ when values are compared.
_LIKE_D = str.maketrans({"Đ": "d", "đ": "d", "Ð": "d", "ð": "d", "Ɖ": "d", "ɖ": "d"})
_FLOAT_OF_WHOLE = re.compile(r"(\d+)\.0+")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?: 0{1,2}:00(?::00)?)?")
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]0{1,2}:00(?::00)?)?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(?:[.,][0-9]{1,9})?")
_YES = {"x", "co", "1", "true", "dat", "duoc", "hoan thanh", "duoc len lop"}
_NO = {"khong", "0", "false", "chua", "chua hoan thanh", "khong duoc len lop"}


class BadCell(ValueError):
    """A cell that says something, but nothing usable; `str(error)` is the reason in Vietnamese."""


def text(value: Cell) -> str:
    """The cell as one line of NFC text: no control, zero-width or direction marks, single spaces. Formula text stays text."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.date):  # a datetime is a date
        return value.strftime("%d/%m/%Y")
    return str(value)


def _clean(raw: str) -> str:
    line = unicodedata.normalize("NFC", raw)
    if not line.isprintable():
        # categories C*: control, format (zero-width, direction), surrogates, unassigned: none of them can be read or printed
        line = "".join(" " if c.isspace() else c for c in line if c.isspace() or not unicodedata.category(c).startswith("C"))
    return " ".join(line.split())


@lru_cache(maxsize=4096)
def key(words: str) -> str:
    """What two spellings of one label have in common: no accents, case, punctuation; `y` as `i` (mỹ thuật = mĩ thuật)."""
    bare = unicodedata.normalize("NFD", words.casefold().translate(_LIKE_D))
    letters = (c if c.isalnum() else " " for c in bare if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return " ".join("".join(letters).split()).replace("y", "i")


def code(value: Cell) -> str:
    """An opaque code: leading zeros kept, "312500100001.0" repaired, no spaces, no leading text mark."""
    words = text(value).removeprefix("'").replace(" ", "")
    whole = _FLOAT_OF_WHOLE.fullmatch(words)
    return whole.group(1) if whole else words


def date(value: Cell) -> dt.date | None:
    """A real date cell or dd/MM/yyyy (also yyyy-MM-dd). None when blank."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    words = text(value)
    if not words:
        return None
    if found := _DAY_FIRST.fullmatch(words):
        day, month, year = (int(part) for part in found.groups())
    elif found := _YEAR_FIRST.fullmatch(words):
        year, month, day = (int(part) for part in found.groups())
    else:
        raise BadCell(f"“{words}” không phải là ngày dạng dd/MM/yyyy")
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise BadCell(f"“{words}” không phải là ngày có thật") from None


def flag(value: Cell) -> bool:
    """A tick column: `x` or blank."""
    words = text(value)
    if key(words) in _YES:
        return True
    if not words or key(words) in _NO:
        return False
    raise BadCell(f"“{words}” không hợp lệ; chỉ dùng “x” hoặc để trống")


def number(value: Cell) -> Decimal | None:
    """A plain decimal number with comma or point. None when blank; NaN, infinity and words are refused."""
    if isinstance(value, bool):
        raise BadCell("không phải là số")
    if isinstance(value, float):
        value = repr(round(value, 9))  # binary noise of a computed cell: 8.299999999999999 is 8.3
    words = text(value).replace(" ", "")
    if not words:
        return None
    if not _NUMBER.fullmatch(words):
        raise BadCell(f"“{text(value)}” không phải là số")
    return Decimal(words.replace(",", "."))


def whole(value: Cell, least: int, most: int) -> int | None:
    """A whole number in a range, both ends included. None when blank."""
    found = number(value)
    if found is None:
        return None
    if found != found.to_integral_value():
        raise BadCell(f"“{text(value)}” không phải là số nguyên")
    if not least <= found <= most:
        raise BadCell(f"“{text(value)}” nằm ngoài khoảng {least} đến {most}")
    return int(found)


def decimal(value: Cell, least: Decimal, most: Decimal, digits: int = 1) -> Decimal | None:
    """A number in a range with at most `digits` decimals. None when blank."""
    found = number(value)
    if found is None:
        return None
    step = Decimal(1).scaleb(-digits)
    if found != found.quantize(step):
        raise BadCell(f"“{text(value)}” có quá {digits} chữ số thập phân")
    if not least <= found <= most:
        raise BadCell(f"“{text(value)}” nằm ngoài khoảng {least} đến {most}")
    return found.quantize(step)


def choice(value: Cell, allowed: Mapping[str, Sequence[str]]) -> str:
    """One of the allowed values (or one of its other spellings), as the circular writes it. "" when blank."""
    words = text(value)
    if not words:
        return ""
    wanted = key(words)
    for name, aliases in allowed.items():
        if wanted == key(name) or any(wanted == key(alias) for alias in aliases):
            return name
    raise BadCell(f"“{words}” không thuộc các giá trị cho phép: {', '.join(allowed)}")
