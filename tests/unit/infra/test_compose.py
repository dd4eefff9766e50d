"""compose.yaml says the same as the local stack's process list (that Compose understands it is checked by its own command)."""

import re
from typing import Any

import pytest
import yaml

from infra.stack import credentials, gateway, parts, processes
from infra.stack.instance import SERVICES, USUAL_PORTS, Instance

ADDED = {"stores", "prometheus"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    described: dict[str, Any] = yaml.safe_load((parts.ROOT / "compose.yaml").read_text())
    return described


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    described: dict[str, dict[str, Any]] = compose["services"]
    return described


def test_the_same_processes_run(services: dict[str, dict[str, Any]]) -> None:
    assert services.keys() == {process.name for process in processes.all_processes()} | ADDED


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_told_the_same_settings_and_ports(services: dict[str, dict[str, Any]], service: str) -> None:
    local = processes.service_environment(Instance("demo", USUAL_PORTS), service)
    for role in ("web", "worker"):
        told = services[f"{service}-{role}"]["environment"]
        assert told.keys() == local.keys()
        for name in ("HOCBA_PORT", "HOCBA_ADMIN_PORT", "HOCBA_MONGO_USER", "HOCBA_OBJECTS_USER", "HOCBA_PUBLIC_URL"):
            assert told[name] == local[name]


PROVIDERS = {"sp769-client", "mysign-client"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_its_own_secrets_only(services: dict[str, dict[str, Any]], service: str) -> None:
    given = {entry if isinstance(entry, str) else entry["source"] for entry in services[f"{service}-web"]["secrets"]}
    own = {
        "identity": {"token-signing.jwk", "identity-sealing-key", "factor-key", "agent-jobs.jwk", "openid-client", *PROVIDERS},
        "records": {"records-service.key", "records-service.pem", "package-trust.pem", "sector"},
        "signing": {"sealing-key", "agent-jobs.jwk", *PROVIDERS},
        "publishing": {"gateway-callback"},
    }.get(service, set())
    assert given == {f"mongo-{service}", f"minio-{service}", "token-keys.jwks", "ca.pem"} | own


def test_the_gateway_fills_every_placeholder(services: dict[str, dict[str, Any]]) -> None:
    placeholders = set(re.findall(r"\$\{(HOCBA_\w+)\}", gateway.TEMPLATE.read_text()))
    told = services["gateway"]["environment"]
    assert placeholders == {name for name in told if name.startswith("HOCBA_")}
    assert {told[f"HOCBA_{service.upper()}"] for service in SERVICES} == {f"{s}-web:{USUAL_PORTS[f'{s}-web']}" for s in SERVICES}


def test_the_broker_image_fills_every_placeholder() -> None:
    template = (parts.ROOT / "infra" / "kafka" / "server.properties.template").read_text()
    recipe = (parts.ROOT / "infra" / "images" / "kafka.Dockerfile").read_text()
    assert set(re.findall(r"\$\{(HOCBA_\w+)\}", template)) == set(re.findall(r"\$\{(HOCBA_\w+)\}", recipe))


def test_every_secret_is_one_that_is_generated(compose: dict[str, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "ROOT", tmp_path)
    credentials.generate(Instance("compose", USUAL_PORTS))
    missing = [entry["file"] for entry in compose["secrets"].values() if not (tmp_path / entry["file"]).is_file()]
    assert missing == []


def test_the_images_hold_the_versions_of_the_local_stack() -> None:
    images = parts.ROOT / "infra" / "images"
    assert parts.MINIO_MODULE in (images / "minio.Dockerfile").read_text()
    version = re.search(r"<kafka.version>([\d.]+)<", parts.KAFKA_POM.read_text())
    assert version is not None
    assert f"FROM apache/kafka:{version[1]}\n" in (images / "kafka.Dockerfile").read_text()


def test_prometheus_scrapes_every_service_process() -> None:
    described = yaml.safe_load((parts.ROOT / "infra" / "prometheus" / "prometheus.yml").read_text())
    targets = {target for job in described["scrape_configs"] for static in job["static_configs"] for target in static["targets"]}
    assert targets == {f"{process.name}:{USUAL_PORTS[process.name]}" for process in processes.all_processes() if process.kind == "service"}


@pytest.mark.parametrize("file", ["rules.yml", "evidence.yml"])
def test_every_alert_is_about_metrics_that_the_services_have_and_says_what_to_do(file: str) -> None:
    described = yaml.safe_load((parts.ROOT / "infra" / "prometheus" / file).read_text())
    sources = "".join(file.read_text() for file in sorted((parts.ROOT / "services").rglob("metrics.py")))
    rules = [rule for group in described["groups"] for rule in group["rules"]]
    assert rules
    for rule in rules:
        named = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b(?!\()", rule["expr"]))
        assert named, rule["alert"]
        assert {name for name in named if f'"{name}"' not in sources} == set(), rule["alert"]
        assert rule["annotations"].keys() == {"summary", "action"}
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_prometheus_is_given_the_rules_that_its_configuration_names(services: dict[str, Any], compose: dict[str, Any]) -> None:
    configuration = yaml.safe_load((parts.ROOT / "infra" / "prometheus" / "prometheus.yml").read_text())
    mounted = {each["target"]: compose["configs"][each["source"]]["file"] for each in services["prometheus"]["configs"]}
    assert [mounted[file] for file in configuration["rule_files"]] == ["infra/prometheus/rules.yml", "infra/prometheus/evidence.yml"]
