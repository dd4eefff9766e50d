"""The gateway: nginx with the one template of `infra/gateway`, its own small directory, and its readiness."""

import os
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from infra.stack import parts
from infra.stack.instance import LOOPBACK, SERVICES, Instance

TEMPLATE = parts.ROOT / "infra" / "gateway" / "nginx.conf.template"


def fill(template: Path, values: Mapping[str, str]) -> str:
    """Replace `${HOCBA_…}` as envsubst does in the images; other dollars are nginx's own. Raises KeyError for an unknown name."""
    return re.sub(r"\$\{(HOCBA_[A-Z_]+)\}", lambda match: values[match[1]], template.read_text())


def values(instance: Instance) -> dict[str, str]:
    return {
        "HOCBA_LISTEN": instance.address("gateway"),
        "HOCBA_RUN_DIR": str(instance.data("gateway")),
        "HOCBA_CERTIFICATE": str(instance.tls / "server.pem"),
        "HOCBA_CERTIFICATE_KEY": str(instance.tls / "server.key"),
        **{f"HOCBA_{service.upper()}": f"{LOOPBACK}:{instance.ports[f'{service}-web']}" for service in SERVICES},
    }


def configuration(instance: Instance) -> Path:
    return instance.config("gateway") / "nginx.conf"


def render(instance: Instance) -> None:
    instance.data("gateway").mkdir(parents=True, exist_ok=True)
    instance.data("gateway").chmod(0o700)
    instance.config("gateway").mkdir(parents=True, exist_ok=True)
    configuration(instance).write_text(fill(TEMPLATE, values(instance)))


def command(instance: Instance) -> list[str]:
    binary = parts.required(parts.nginx(), "nginx")
    directory = str(instance.data("gateway"))
    # started by root, nginx would hand its work to a user who may not enter the clone
    user = " user root;" if os.geteuid() == 0 else ""
    return [str(binary), "-p", directory, "-e", "stderr", "-c", str(configuration(instance)), "-g", f"daemon off;{user}"]


def ready(instance: Instance) -> bool:
    trust = ssl.create_default_context(cafile=str(instance.tls / "ca.pem"))
    try:
        with urllib.request.urlopen(f"{instance.public_url}/healthz", timeout=2, context=trust) as answer:  # noqa: S310 - own https
            return bool(answer.status == 200)
    except OSError:
        return False
