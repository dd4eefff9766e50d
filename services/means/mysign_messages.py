"""What a provider of the MySign style answers, with the protocol's spelling. Numbers come as texts. Unknown members are ignored."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


class Login(Answer):
    access_token: str = Field(min_length=1)
    expires_in: int = Field(default=3600, gt=0)


class Key(Answer):
    status: str = "enabled"
    algo: tuple[str, ...] = ()


class Cert(Answer):
    status: str = "valid"
    certificates: list[str] = []


class Held(Answer):
    credential_id: str = Field(min_length=1)
    key: Key = Key()
    cert: Cert = Cert()
    multisign: int = Field(default=1, ge=1)
    scal: str = "2"


class Signing(Answer):
    """Of `signHash`."""

    transaction: str = Field(min_length=1, alias="transactionId")


class Status(Answer):
    status: str
    signatures: list[str | None] | None = None


HELD: TypeAdapter[list[Held]] = TypeAdapter(list[Held])
