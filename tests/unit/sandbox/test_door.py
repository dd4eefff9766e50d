"""Mutual TLS in front of an outside system: who is let in, and that whoever is let in is also the one who signed."""

import ssl
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from infra.stack import credentials, parts
from infra.stack.instance import USUAL_PORTS, Instance
from tests.unit.sandbox.conftest import SECRET, Server, free_port, issue
from tests.unit.sandbox.documents import Signer, detached_jws, package, signed_transcript


@dataclass
class Guarded:
    """The gateway with both entrances, and what its clients trust and present."""

    server: Server
    port: int
    authority: Path
    directory: Path

    def client(self, certificate: Path | None = None, key: Path | None = None) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(self.authority))
        if certificate is not None:
            context.load_cert_chain(certificate, key)
        return httpx.Client(base_url=f"https://127.0.0.1:{self.port}", verify=context, timeout=30, trust_env=False)

    @property
    def own(self) -> tuple[Path, Path]:
        return self.directory / "publishing-service.pem", self.directory / "publishing-service.key"


@pytest.fixture(scope="module")
def guarded(directory: Path, pki: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "ROOT", tmp_path_factory.mktemp("door"))
        credentials.generate(Instance("demo", dict(USUAL_PORTS)))
        tls = Instance("demo", USUAL_PORTS).tls
    secret, port = directory / "callback-secret-of-the-door", free_port()
    secret.write_bytes(SECRET + b"\n")
    own = ["--tls-certificate", str(tls / "outside.pem"), "--tls-key", str(tls / "outside.key")]
    server = Server("gateway", directory, free_port(), ["--callback-secret-file", str(secret), "--tls-port", str(port), *own])
    server.start()
    yield Guarded(server, port, tls / "ca.pem", directory)
    server.stop()


def written(folder: Path, signer: Signer) -> tuple[Path, Path]:
    certificate, key = folder / "client.pem", folder / "client.key"
    certificate.write_text(signer.certificate + signer.chain[0])
    key.write_text(signer.key)
    return certificate, key


def headers(push: str, body: bytes, certificate: Path, key: Path) -> dict[str, str]:
    signature = detached_jws(body, key.read_bytes(), certificate.read_bytes())
    return {"Content-Type": "application/zip", "Idempotency-Key": push, "X-JWS-Signature": signature}


async def test_the_service_with_its_certificate_is_let_in_and_its_package_taken(guarded: Guarded, teacher: Signer, school: Signer) -> None:
    identity, body = package([await signed_transcript([teacher, teacher, school])], "http://127.0.0.1:9/callback")
    with guarded.client(*guarded.own) as client:
        answer = client.post("/v1/packages", content=body, headers=headers(identity, body, *guarded.own))
        assert (answer.status_code, answer.json()["packageId"]) == (202, identity)
        assert client.get(f"/v1/packages/{identity}").status_code == 200


def test_without_a_certificate_nobody_gets_as_far_as_http(guarded: Guarded) -> None:
    with guarded.client() as client, pytest.raises(httpx.TransportError):
        client.get(f"/v1/packages/{uuid.uuid4()}")


@pytest.mark.parametrize("defect", ["self_signed", "unknown_issuer", "expired"])
def test_a_certificate_that_leads_to_no_trusted_root_is_not_let_in(guarded: Guarded, pki: Server, tmp_path: Path, defect: str) -> None:
    stranger = issue(pki, kind="service", name="Stranger", identifier="publishing", key="p256", defects=[defect])
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"
    certificate.write_text("".join([stranger.certificate, *stranger.chain[:1]]))
    key.write_text(stranger.key)
    with guarded.client(certificate, key) as client, pytest.raises(httpx.TransportError):
        client.get(f"/v1/packages/{uuid.uuid4()}")


async def test_what_one_service_signed_another_one_cannot_send(
    guarded: Guarded, pki: Server, tmp_path: Path, teacher: Signer, school: Signer
) -> None:
    other = written(tmp_path, issue(pki, kind="service", name="Other service", identifier="other", key="p256"))
    identity, body = package([await signed_transcript([teacher, teacher, school])], "http://127.0.0.1:9/callback")
    with guarded.client(*other) as client:
        stolen = client.post("/v1/packages", content=body, headers=headers(identity, body, *guarded.own))
        assert (stolen.status_code, stolen.json()["code"]) == (401, "NG-003")
        assert "chứng thư số của kết nối" in stolen.json()["reason"]
    with guarded.client(*guarded.own) as client:
        borrowed = client.post("/v1/packages", content=body, headers=headers(identity, body, *other))
        assert (borrowed.status_code, borrowed.json()["code"]) == (401, "NG-003")


def test_each_entrance_answers_its_own_part(guarded: Guarded) -> None:
    plain = guarded.server.client.get(f"/v1/packages/{uuid.uuid4()}")
    assert (plain.status_code, plain.json()["code"]) == (403, "NG-009")
    assert guarded.server.client.get("/health").status_code == 200
    with guarded.client(*guarded.own) as client:
        assert client.get("/control/stats").status_code == 403
