"""The acts that the source of the services records, read from the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.generate import ROOT

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Recording:
    """One call of `audit.record`."""

    place: str
    keywords: frozenset[str]


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / "services").glob("*/**/*.py")):
        source = path.read_text(encoding="utf-8")
        if "chassis" not in path.relative_to(ROOT).parts[1:2]:
            yield path, ast.parse(source)


def recordings() -> list[Recording]:
    found = []
    for path, module in modules():
        for node in ast.walk(module):
            if _is_record(node):
                assert isinstance(node, ast.Call)
                line = f"{path.relative_to(ROOT)}:{node.lineno}"
                found.append(Recording(line, frozenset(k.arg for k in node.keywords if k.arg)))
    return found


def acts() -> dict[str, set[str]]:
    """Act → the modules that name it."""
    found: dict[str, set[str]] = {}
    for path, module in modules():
        for act in _texts_of(module):
            found.setdefault(act, set()).add(str(path.relative_to(ROOT)))
    return found


def _is_record(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    return node.func.attr == "record" and isinstance(node.func.value, ast.Name) and node.func.value.id == "audit"


def _texts_of(module: ast.Module) -> set[str]:
    """Of arguments named `act`, in order or by name, of what is assigned to `act`, and of module constants that are handed on as acts."""
    orders = {f.name: [a.arg for a in f.args.args] for f in ast.walk(module) if isinstance(f, FUNCTIONS)}
    values: list[ast.expr] = []
    records = any(_is_record(node) for node in ast.walk(module))
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            values += [keyword.value for keyword in node.keywords if keyword.arg == "act"]
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            order = [a for a in orders.get(name, []) if a != "self"]
            if records and "act" in order and order.index("act") < len(node.args):
                values.append(node.args[order.index("act")])
        for target, value in _assigned(node):
            if target == "act" and (records or isinstance(value, ast.Subscript)):
                values.append(value)
    return {text for value in values for text in _texts(value, module)}


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names with what they are given, `a, b = c, d` among them."""
    if not isinstance(node, ast.Assign):
        return
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from ((getattr(t, "id", ""), v) for t, v in zip(target.elts, node.value.elts, strict=True))
        else:
            yield getattr(target, "id", ""), node.value


def _texts(value: ast.expr, module: ast.Module) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body, module)
        yield from _texts(value.orelse, module)
    elif isinstance(value, ast.Subscript):
        yield from _texts(value.value, module)
    elif isinstance(value, ast.Dict):
        for each in value.values:
            yield from _texts(each, module)
    elif isinstance(value, ast.Name) and value.id.isupper():
        for node in module.body:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AnnAssign) else None
            if getattr(target, "id", "") == value.id and isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                yield from _texts(node.value, module)


def detail_names() -> set[str]:
    """Keys of what is written as `details` in the modules that record."""
    found: set[str] = set()
    for _, module in modules():
        if not any(_is_record(node) for node in ast.walk(module)):
            continue
        given = [v for node in ast.walk(module) for name, v in _assigned(node) if name == "details"]
        given += [node.value for node in ast.walk(module) if isinstance(node, ast.keyword) and node.arg == "details"]
        found |= {str(key.value) for held in given if isinstance(held, ast.Dict) for key in held.keys if isinstance(key, ast.Constant)}
    return found
