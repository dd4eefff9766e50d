"""Where the vendors' PKCS#11 modules are. Names are those of tokens sold in Vietnam, and of the usual open ones."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WINDOWS_NAMES = (
    *(f"vnptca_p11_v{n}.dll" for n in range(10, 5, -1)),
    "vnpt-ca_csp11.dll",
    "vnpt-ca_v34.dll",
    *(f"viettel-ca_v{n}.dll" for n in range(6, 1, -1)),
    *(f"fptca_v{n}.dll" for n in range(6, 2, -1)),
    *(f"nca_v{n}.dll" for n in range(9, 3, -1)),
    "ncca_csp11_v1.dll",
    "ica_csp11_v1.dll",
    "ca2_csp11.dll",
    "CA2_v34.dll",
    "BkavCAv2S.dll",
    "BkavCA.dll",
    *(f"Vina-CAv{n}.dll" for n in range(5, 2, -1)),
    "ostt3_csp11.dll",
    "eps2003csp11v2.dll",
    "eps2003csp11.dll",
    "eTPKCS11.dll",
)
LINUX_NAMES = (
    "viettel-ca_v6.so",
    "libvnptca_p11.so",
    "libcastle_v2.so.1.0.0",
    "libcastle.so.1.0.0",
    "libeTPkcs11.so",
    "opensc-pkcs11.so",
)
MAC_NAMES = (
    *(f"viettel-ca_v{n}.dylib" for n in range(6, 3, -1)),
    "libcastle_v2.1.0.0.dylib",
    "libcastle.1.0.0.dylib",
    "libeTPkcs11.dylib",
    "opensc-pkcs11.so",
)
LINUX_FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/opt/lib")
MAC_FOLDERS = ("/usr/local/lib", "/Library/OpenSC/lib", "/opt/homebrew/lib")
WINDOWS_FOLDERS = (r"C:\Windows\System32", r"C:\Program Files\OpenSC Project\OpenSC\pkcs11")


def candidates(platform: str = sys.platform) -> list[Path]:
    """Every place to look at on this kind of computer (`sys.platform`), the likeliest first."""
    folders: tuple[str, ...]
    names: tuple[str, ...]
    if platform == "win32":
        folders, names = WINDOWS_FOLDERS, (*WINDOWS_NAMES, "opensc-pkcs11.dll")
    elif platform == "darwin":
        folders, names = MAC_FOLDERS, MAC_NAMES
    else:
        folders, names = LINUX_FOLDERS, LINUX_NAMES
    return [Path(folder) / name for name in names for folder in folders]


def find(chosen: Sequence[str] = (), places: Iterable[Path] | None = None) -> list[str]:
    """The modules to use: those that the person chose, or else all known ones that are there."""
    if chosen:
        return list(chosen)
    return [str(path) for path in (candidates() if places is None else places) if path.is_file()]
