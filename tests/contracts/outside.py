"""Judging what goes to and fro between this product and an outside system by the published OpenAPI document, whoever says it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator
from lxml import etree

from infra.generate import ROOT

if TYPE_CHECKING:
    import httpx

OPENAPI, XML = ROOT / "contracts" / "openapi", ROOT / "contracts" / "xml"
GATEWAY, ADMISSIONS = "national-gateway-v1.yaml", "admissions-portal-v1.yaml"


class Contract:
    def __init__(self, file: str) -> None:
        self.document: dict[str, Any] = yaml.safe_load((OPENAPI / file).read_text(encoding="utf-8"))

    def request_problems(self, request: httpx.Request) -> list[str]:
        """What is wrong with a request; empty when the document allows it."""
        operation = self._operation(request)
        if operation is None:
            return [f"no such operation: {request.method} {request.url.path}"]
        problems = []
        for parameter in map(self._resolved, operation.get("parameters", [])):
            if parameter["in"] == "header":
                value = request.headers.get(parameter["name"])
                if value is None:
                    problems += [f"{parameter['name']} is missing"] if parameter.get("required") else []
                else:
                    problems += self._breaches(value, parameter["schema"], parameter["name"])
        kinds = operation.get("requestBody", {}).get("content")
        if not kinds:
            return problems
        kind = request.headers.get("content-type", "")
        if kind not in kinds:
            return [*problems, f"content type {kind!r}"]
        if kind == "application/zip":
            return problems + package_problems(request.content)
        return problems + self._breaches(json.loads(request.content), kinds[kind]["schema"], "body")

    def answer_problems(self, request: httpx.Request, answer: httpx.Response) -> list[str]:
        """What is wrong with an answer; one of a server in trouble (5xx) may look like anything."""
        operation = self._operation(request)
        if operation is None:
            return [] if answer.status_code in (404, 405) else [f"answers {request.method} {request.url.path}, which is no operation"]
        if answer.status_code >= 500:
            return []
        described = operation["responses"].get(str(answer.status_code))
        if described is None:
            return [f"status {answer.status_code} is not among {', '.join(operation['responses'])}"]
        content = self._resolved(described).get("content", {}).get("application/json")
        return self._breaches(answer.json(), content["schema"], f"answer {answer.status_code}") if content else []

    def breaches(self, value: object, schema: str) -> list[str]:
        """Of one of the document's named schemas."""
        return self._breaches(value, {"$ref": f"#/components/schemas/{schema}"}, schema)

    def _operation(self, request: httpx.Request) -> dict[str, Any] | None:
        for template, item in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), request.url.path) and request.method.lower() in item:
                found: dict[str, Any] = item[request.method.lower()]
                # a fixed path comes before one with a parameter that would take it too
                if "{" not in template or request.url.path not in self.document["paths"]:
                    return found
        return None

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        found: Any = self.document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        resolved: dict[str, Any] = found
        return resolved

    def _breaches(self, value: object, schema: dict[str, Any], what: str) -> list[str]:
        definition = {**schema, "components": self.document["components"]}
        return [f"{what}: {error.json_path} {error.message[:200]}" for error in Draft202012Validator(definition).iter_errors(value)]


@cache
def contract(file: str) -> Contract:
    return Contract(file)


@cache
def _manifests() -> dict[str, etree.XMLSchema]:
    return {version: etree.XMLSchema(etree.parse(XML / f"goi-hoc-ba-{version}.xsd")) for version in ("1.0", "1.1")}


def package_problems(body: bytes) -> list[str]:
    """A package must be a ZIP of the files that its manifest lists, and the manifest of the version that it names."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        root = etree.fromstring(archive.read("manifest.xml"))
        schema = _manifests()[root.get("phienBan", "")]
        try:
            schema.assertValid(root)
        except etree.DocumentInvalid as wrong:
            return [str(wrong)]
        listed = {str(node.get("ten")) for node in root.iter("{urn:hocba:package:1}TepPdf", "{urn:hocba:package:1}TepXml")}
        return [] if listed == set(archive.namelist()) - {"manifest.xml"} else ["files and manifest differ"]
