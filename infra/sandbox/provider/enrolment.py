"""Enrolment: keys are made here, certificates come from the sandbox PKI through its control API."""

import asyncio
import secrets
from datetime import datetime
from typing import Any, Literal

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, ConfigDict, Field

from infra.sandbox.common import address
from infra.sandbox.provider.desk import Desk
from infra.sandbox.provider.vault import Credential, PrivateKey


class NewUser(BaseModel):
    """One user with one credential; the same user with another `label` gets a further credential."""

    model_config = ConfigDict(extra="forbid")

    user: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1)
    kind: Literal["personal", "organisation"]
    name: str = Field(min_length=1, max_length=64)
    identifier: str
    key: Literal["rsa2048", "rsa3072", "p256", "p384"] = "rsa2048"
    label: str = "1"
    organisation: str | None = None
    province: str | None = None
    locality: str | None = None
    root: Literal["public", "government"] = "public"
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    defects: list[str] = []


class Enrolment(BaseModel):
    model_config = ConfigDict(extra="forbid")

    users: list[NewUser]


class PkiRefusal(Exception):
    """The PKI did not issue; carries its status and text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def enrol(desk: Desk, order: Enrolment) -> list[dict[str, Any]]:
    """Add the users that are new; one that has a credential under the same label keeps it. Raises PkiRefusal."""
    async with httpx.AsyncClient(base_url=address(desk.directory, "pki"), timeout=60, trust_env=False) as pki:
        answer = []
        for new in order.users:
            known = desk.vault.labelled(new.user, new.label)
            credential = known or await _issue(desk, pki, new)
            answer.append(
                {
                    "user": credential.user,
                    "credentialID": credential.id,
                    "created": known is None,
                    "serial": f"{credential.certificate.serial_number:x}",
                    "subject": credential.certificate.subject.rfc4514_string(),
                }
            )
        return answer


async def _issue(desk: Desk, pki: httpx.AsyncClient, new: NewUser) -> Credential:
    key = await asyncio.to_thread(_make_key, new.key)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    wanted = new.model_dump(mode="json", exclude={"user", "password", "label", "key"}, exclude_none=True)
    response = await pki.post("/control/certificates", json={**wanted, "public_key": public})
    if response.is_error:
        raise PkiRefusal(response.status_code, response.text)
    issued = response.json()
    chain = [x509.load_pem_x509_certificate(each.encode()) for each in (issued["certificate"], *issued["chain"])]
    credential = Credential(secrets.token_hex(8), new.user, new.label, new.kind, new.name, new.identifier, key, chain)
    desk.vault.add_user(new.user, new.password)
    desk.vault.add_credential(credential)
    return credential


def _make_key(kind: str) -> PrivateKey:
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))
    return ec.generate_private_key(ec.SECP256R1() if kind == "p256" else ec.SECP384R1())
