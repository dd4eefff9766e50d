"""Each service runs from an image that holds the contracts, the shared parts and its own folder alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.generate import ROOT, SERVICES
from tests.architecture.sources import below, imported, tracked, tree

SHARED = ("contracts", "services/chassis", "services/means")
IMPORT_ALL = """
import importlib, importlib.util, json, os, pkgutil, sys, traceback

def look(own, others):
    names = []
    for package in ("contracts", "services.chassis", "services.means", "services." + own):
        module = importlib.import_module(package)
        names += [m.name for m in pkgutil.walk_packages(module.__path__, package + ".") if not m.name.endswith(".__main__")]
    for name in names:
        importlib.import_module(name)
    reachable = [name for name in others if importlib.util.find_spec(name) is not None]
    return {"imported": len(names), "reachable": reachable, "from": importlib.import_module("contracts").__file__}

order = json.load(sys.stdin)
for library in order["libraries"]:
    importlib.import_module(library)
for own, folder in order["folders"].items():
    if os.fork() == 0:
        sys.path.insert(0, folder)
        try:
            answer = look(own, order["others"][own])
        except BaseException:
            answer = {"failed": traceback.format_exc()}
        with open(os.path.join(folder, "answer.json"), "w") as file:
            json.dump(answer, file)
        os._exit(0)
for _ in order["folders"]:
    os.wait()
"""


def libraries() -> list[str]:
    """What the services import from elsewhere. One process imports it once and forks, which spares most of the time."""
    paths = [path for path in below("services") if "templates" not in path.parts]
    modules = {source for path in paths for source, *_ in imported(tree(path)) if source.partition(".")[0] not in {"services", "contracts"}}
    return sorted(name for name in modules if name.partition(".")[0] not in sys.stdlib_module_names)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Service → what importing all of its modules in a folder of its own said."""
    folders = {name: tmp_path_factory.mktemp(name) for name in SERVICES}
    for name, folder in folders.items():
        for path in tracked():
            if any(path.is_relative_to(ROOT / part) for part in (*SHARED, f"services/{name}")):
                target = folder / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    order = {
        "libraries": libraries(),
        "folders": {name: str(folder) for name, folder in folders.items()},
        "others": {name: [*(f"services.{other}" for other in SERVICES if other != name), "infra", "tests"] for name in SERVICES},
    }
    subprocess.run([sys.executable, "-I", "-c", IMPORT_ALL], input=json.dumps(order), text=True, check=True, timeout=120)
    return {name: {"folder": folder, **json.loads((folder / "answer.json").read_text())} for name, folder in folders.items()}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_imports_without_the_folders_of_the_others(name: str, answers: dict[str, dict[str, Any]]) -> None:
    answer = answers[name]
    assert "failed" not in answer, answer["failed"]
    assert answer["reachable"] == []
    assert answer["imported"] > 30
    assert Path(answer["from"]).is_relative_to(answer["folder"])
