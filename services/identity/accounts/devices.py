"""A device in plain words. Of what a browser says about itself only these words are kept."""

from __future__ import annotations

OTHER = "Thiết bị khác"
BROWSERS = (
    ("Zalo", "Zalo"),
    ("coc_coc_browser/", "Cốc Cốc"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""Sign in the header and name; the first that fits counts, because browsers also name those they descend from."""
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows NT", "Windows"),
    ("Macintosh", "máy Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
"""Likewise: Android also calls itself Linux."""


def in_words(user_agent: str) -> str:
    """ "Chrome trên Windows"; OTHER when browser or system is not in the tables, as for programs."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), None)
    system = next((name for sign, name in SYSTEMS if sign in user_agent), None)
    return f"{browser} trên {system}" if browser and system else OTHER
