"""Names of files in a package: ASCII, no slash, no space, unique. Plain functions over strings."""

from __future__ import annotations

import re

from services.chassis.vietnamese import fold

LONGEST = 60
_OTHER = re.compile(r"[^a-z0-9]+")


def safe(text: str) -> str:
    """ "Nguyễn Thị Đào" → "nguyen-thi-dao"; what has no letter or digit at all becomes "x"."""
    return _OTHER.sub("-", fold(text)).strip("-")[:LONGEST].rstrip("-") or "x"


class Names:
    """Gives each file its name once: the same wish twice gets "-2", whatever upper and lower case a file system tells apart."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, stem: str, suffix: str) -> str:
        name, number = f"{stem}{suffix}", 1
        while name in self._taken:
            number += 1
            name = f"{stem}-{number}{suffix}"
        self._taken.add(name)
        return name


def folder(school_year: str, class_name: str) -> str:
    return f"{safe(school_year)}/lop-{safe(class_name)}"


def summary_stem(class_name: str, version: int) -> str:
    return f"bang-tong-hop-{safe(class_name)}-v{version}"


def stem(pupil_name: str, pupil_code: str, version: int) -> str:
    """ "nguyen-thi-dao-312500199001-v1": given the code and the version, one transcript of a school and year has it alone."""
    return f"{safe(pupil_name)}-{safe(pupil_code)}-v{version}"
