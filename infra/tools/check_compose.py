"""Checks compose.yaml with the Compose project's own `config` command, built once from its Go module.

`python infra/tools/check_compose.py`: seconds when the command is in the cache, some minutes the first time.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from infra.setup import SetupError, run_visibly, say
from infra.stack import parts

MODULE = parts.ROOT / "infra" / "tools" / "compose-config"
PACKAGE = "github.com/docker/compose/v2/cmd"


def compose_command() -> Path:
    """The command in the cache, under the digest of its go.sum; built when missing. Raises SetupError."""
    digest = hashlib.sha256((MODULE / "go.sum").read_bytes()).hexdigest()[:12]
    binary = parts.cache_dir() / "bin" / f"docker-compose-{digest}"
    if not binary.is_file():
        go = parts.go()
        if go is None:
            raise SetupError("the Compose command is built from source and needs Go 1.24 or later on PATH")
        binary.parent.mkdir(parents=True, exist_ok=True)
        run_visibly("compose build", [str(go), "build", "-C", str(MODULE), "-v", "-o", str(binary), PACKAGE])
    return binary


def checked_configuration(file: Path) -> dict[str, object]:
    """The file as Compose understands it. Raises SetupError with what Compose says against it."""
    command = [str(compose_command()), "--file", str(file), "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=parts.ROOT)
    if done.returncode != 0 or "warning" in done.stderr.lower():
        raise SetupError(f"{file.name} was refused:\n{done.stderr}")
    configuration: dict[str, object] = json.loads(done.stdout)
    return configuration


def main() -> int:
    try:
        services = checked_configuration(parts.ROOT / "compose.yaml")["services"]
    except SetupError as error:
        say(str(error))
        return 1
    say(f"compose.yaml: {len(services) if isinstance(services, dict) else 0} services, understood by Compose")
    return 0


if __name__ == "__main__":
    sys.exit(main())
