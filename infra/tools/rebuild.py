"""Rebuilds district's read model on a running instance: district begins, the owners republish, and it ends when everything is loaded."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from infra.local import load
from infra.stack.instance import Instance
from infra.stack.parts import ROOT
from infra.stack.processes import service_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

STEPS = (("district", "rebuild"), ("identity", "republish"), ("records", "republish"), ("district", "rebuilt"))


def rebuild(info: Mapping[str, Any]) -> None:
    """Raises CalledProcessError when a step fails; all of it may then be done again."""
    for service, command in STEPS:
        run(info, service, command)


def run(info: Mapping[str, Any], service: str, command: str) -> None:
    environment = service_environment(Instance(info["instance"], info["ports"]), service)
    subprocess.run([sys.executable, "-m", f"services.{service}", command], env={**os.environ, **environment}, cwd=ROOT, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instance", default="demo")
    rebuild(load(parser.parse_args().instance))


if __name__ == "__main__":
    main()
