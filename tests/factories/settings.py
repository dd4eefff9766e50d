"""Settings for code that looks at a few of them and reaches no store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.chassis.settings import Settings


def settings_without_servers(file: Path, **changed: Any) -> Settings:
    """`file` stands for every secret and key that is not given."""
    needed: dict[str, Any] = {
        "port": 1,
        "admin_port": 2,
        "mongo_url": "mongodb://localhost",
        "mongo_user": "records",
        "mongo_password_file": file,
        "kafka": "localhost:1",
        "objects": "localhost:1",
        "objects_user": "records",
        "objects_password_file": file,
        "public_url": "https://localhost",
        "token_keys_file": file,
    }
    return Settings(**{**needed, **changed})
