"""Ports, the process list, secrets and the files that an instance is described by."""

import json
import re
import socket
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.fernet import Fernet
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from infra import setup
from infra.stack import credentials, gateway, instance, parts, policies, processes
from infra.stack.instance import BUCKETS, SERVICES, USUAL_PORTS, Instance, choose_ports, describe

TESTS = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(parts, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def made(root: Path) -> Instance:
    prepared = Instance("demo", dict(USUAL_PORTS))
    credentials.generate(prepared)
    return prepared


def test_the_demo_takes_the_usual_ports_and_the_next_one_when_one_is_in_use(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "port_is_free", lambda _: True)
    assert choose_ports("demo") == USUAL_PORTS
    monkeypatch.setattr(instance, "port_is_free", lambda port: port != 9092)
    assert choose_ports("demo")["kafka"] == 9093
    assert choose_ports("demo")["kafka-controller"] == 9094


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not instance.port_is_free(listener.getsockname()[1])


def test_two_instances_share_no_port(root: Path) -> None:
    assert not set(choose_ports("demo").values()) & set(choose_ports("test").values())


def test_the_instances_of_the_tests_have_blocks_of_ports_of_their_own(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "port_is_free", lambda _: True)
    source = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py"))
    names = {"demo", *re.findall(r'\bStack\(\s*"([a-z-]+)"', source), *re.findall(r'^NAME = "([a-z-]+)"', source, re.MULTILINE)}
    assert {"test", "light-test", "kills"} <= names
    taken = [(port, name) for name in sorted(names) for port in choose_ports(name).values()]
    assert len({port for port, _ in taken}) == len(taken), "two of these stacks may start at the same moment"


def test_an_instance_keeps_the_ports_of_its_last_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "port_is_free", lambda _: True)
    before = Instance("test", {name: port + 40000 for name, port in USUAL_PORTS.items()})
    before.home.mkdir(parents=True)
    instance.write_json(instance.description_file("test"), describe(before, {}, ready=False))
    assert choose_ports("test") == before.ports


def test_a_chosen_process_brings_what_it_needs_and_no_more() -> None:
    names = {process.name for process in processes.chosen(frozenset({"records-web"}))}
    assert names == {"records-web", "mongod", "kafka", "minio", "sandbox-pki"}
    with pytest.raises(ValueError, match="no such process: nonsense"):
        processes.chosen(frozenset({"nonsense"}))


def test_every_process_has_a_port_and_needs_only_what_is_listed() -> None:
    everything = {process.name: process for process in processes.all_processes()}
    assert everything.keys() <= USUAL_PORTS.keys()
    assert all(set(process.needs) <= everything.keys() for process in everything.values())
    assert {process.name for process in everything.values() if not process.ours} == set(processes.STORES)


def test_secrets_are_readable_by_their_owner_alone_and_stay(made: Instance) -> None:
    files = [path for path in (*made.secrets.iterdir(), *made.tls.iterdir()) if path.name not in {"ca.pem", "server.pem"}]
    assert files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    before = {path: path.read_bytes() for path in files}
    credentials.generate(made)
    assert {path: path.read_bytes() for path in files} == before


def test_what_the_token_key_signs_the_public_set_verifies(made: Instance) -> None:
    private = OKPKey.import_key(json.loads(made.secret("token-signing.jwk")))
    public = KeySet.import_key_set(json.loads(made.secret("token-keys.jwks")))
    token = jwt.encode({"alg": "Ed25519", "kid": private.kid}, {"sub": "x"}, private, algorithms=["Ed25519"])
    assert jwt.decode(token, public, algorithms=["Ed25519"]).claims == {"sub": "x"}
    assert '"d"' not in made.secret("token-keys.jwks")
    Fernet(made.secret("sealing-key"))


def test_the_gateways_certificate_is_signed_by_the_local_authority_for_localhost(made: Instance) -> None:
    authority = x509.load_pem_x509_certificate((made.tls / "ca.pem").read_bytes())
    server = x509.load_pem_x509_certificate((made.tls / "server.pem").read_bytes())
    server.verify_directly_issued_by(authority)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made.tls / "server.pem", made.tls / "server.key")


def test_a_service_is_told_no_secret_of_another(made: Instance) -> None:
    told = {service: processes.service_environment(made, service) for service in SERVICES}
    for service in SERVICES:
        others = [f"-{other}" for other in SERVICES if other != service]
        secret_files = [value for value in told[service].values() if value.startswith(str(made.secrets))]
        assert not [path for path in secret_files if path.endswith(tuple(others))]
    assert {service for service in SERVICES if "HOCBA_TOKEN_SIGNING_KEY_FILE" in told[service]} == {"identity"}
    sealing_keys = {service: told[service]["HOCBA_SEALING_KEY_FILE"] for service in SERVICES if "HOCBA_SEALING_KEY_FILE" in told[service]}
    assert (set(sealing_keys), len(set(sealing_keys.values()))) == ({"identity", "signing"}, 2)
    assert {service for service in SERVICES if "HOCBA_SERVICE_KEY_FILE" in told[service]} == {"publishing", "records"}


def test_the_description_names_every_address_and_no_secret(made: Instance) -> None:
    described = describe(made, {"mongod": 1}, ready=True)
    assert described["public_url"] == "https://localhost:8443"
    assert described["services"]["identity"] == {"web": "http://127.0.0.1:8101", "admin": "http://127.0.0.1:8201"}
    assert described["sandbox"]["provider"] == "http://127.0.0.1:8602"
    text = json.dumps(described)
    assert not [path.name for path in made.secrets.iterdir() if path.read_text().strip() in text]


def test_every_placeholder_of_a_template_is_filled(made: Instance) -> None:
    filled = gateway.fill(gateway.TEMPLATE, gateway.values(made))
    assert "${HOCBA_LISTEN}" not in filled
    assert "listen 127.0.0.1:8443 ssl http2;" in filled
    assert "server 127.0.0.1:8102 max_fails=0;" in filled
    assert "$request_id" in filled


def test_a_service_writes_its_own_bucket_only() -> None:
    for service in SERVICES:
        written = {
            resource.removeprefix("arn:aws:s3:::").removesuffix("/*")
            for statement in policies.policy(service, BUCKETS)["Statement"]
            if "s3:PutObject" in statement["Action"]
            for resource in statement["Resource"]
        }
        own = {service} & set(BUCKETS)
        assert written == (own | {"archive"} if service == "signing" else own)


def test_nobody_deletes_from_the_archive() -> None:
    statements = [statement for service in SERVICES for statement in policies.policy(service, BUCKETS)["Statement"]]
    deleting = [statement for statement in statements if any("Delete" in action for action in statement["Action"])]
    assert deleting
    assert not [statement for statement in deleting if "arn:aws:s3:::archive/*" in statement["Resource"]]


def test_missing_packages_are_named_by_what_they_provide() -> None:
    listing = "# comment\nshell-package sh\nnever-package surely-no-such-command\nno-library libsurely-not-there.so.9\n"
    assert setup.missing_packages(listing) == ["never-package", "no-library"]


def test_a_changed_pom_means_another_directory_of_jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = parts.kafka_jars()
    other = tmp_path / "pom.xml"
    other.write_text("<project/>")
    monkeypatch.setattr(parts, "KAFKA_POM", other)
    assert parts.kafka_jars() != before
