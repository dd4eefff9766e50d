"""What a CSC v2 provider answers, with the protocol's spelling kept to the aliases. Members that we do not use are ignored."""

import re

from pydantic import BaseModel, ConfigDict, Field

from services.means.remote import Secret

ALTERNATIVES = re.compile(r"\bX?OR\b")


class Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Info(Answer):
    """`asynchronous` says that asynchronous signing exists beside the synchronous one."""

    specs: str
    name: str
    auth_types: tuple[str, ...] = Field(default=(), alias="authType")
    oauth2: str | None = None
    asynchronous: bool = Field(default=False, alias="asynchronousOperationMode")
    methods: tuple[str, ...] = ()


class Login(Answer):
    access_token: str = Field(min_length=1)
    expires_in: int = Field(default=3600, gt=0)


class Token(Answer):
    """Of `oauth2/token`."""

    access_token: str = Field(min_length=1)
    expires_in: int = Field(default=3600, gt=0)


class Announced(Answer):
    """What the authorisation server says of itself (RFC 8414, RFC 9126)."""

    pkce: tuple[str, ...] = Field(default=(), alias="code_challenge_methods_supported")
    pushed: str | None = Field(default=None, alias="pushed_authorization_request_endpoint")


class Pushed(Answer):
    """Of `oauth2/pushed_authorize`."""

    request_uri: str = Field(min_length=1)


class Challenge(Answer):
    """Of `credentials/getChallenge`; empty when it went to the person by another way."""

    challenge: str = ""


class AuthObject(Answer):
    """Something that belongs to an explicit authorisation; what a phone or the provider makes is not typed by the person."""

    id: str
    type: str
    format: str | None = None
    label: str = ""
    generator: str | None = None

    @property
    def typed(self) -> bool:
        return self.type.lower() in {"pin", "password", "otp", "challengeresponse"}

    @property
    def secret(self) -> Secret:
        sent = self.type.lower() == "challengeresponse"
        once = sent or bool(self.generator) or "otp" in f"{self.type} {self.id}".lower()
        return Secret(self.id, "otp" if once else "pin", self.label or self.id, sent=sent, digits=self.format == "N")


class Auth(Answer):
    """`expression` joins the objects' ids with AND, OR and XOR; without one all are needed."""

    mode: str = "explicit"
    expression: str = ""
    objects: tuple[AuthObject, ...] = ()

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What is typed: of alternatives the one with the least of it. Nested alternatives are not taken apart: all is asked for."""
        typed = [each for each in self.objects if each.typed]
        if "(" not in self.expression:
            ways = [set(way.replace("AND", " ").split()) for way in ALTERNATIVES.split(self.expression)]
            fewest = min(([each for each in typed if each.id in way] for way in ways if way), key=len, default=typed)
            typed = fewest
        return tuple(each.secret for each in typed)

    @property
    def on_page(self) -> bool:
        return self.mode == "oauth2code"


class Key(Answer):
    status: str = "enabled"
    algo: list[str] = []


class Cert(Answer):
    certificates: list[str] = []


class CredentialInfo(Answer):
    id: str | None = Field(default=None, alias="credentialID")
    key: Key = Key()
    cert: Cert = Cert()
    auth: Auth = Auth()
    scal: str = Field(default="1", alias="SCAL")
    multisign: int = Field(default=1, ge=1)


class Credentials(Answer):
    ids: list[str] = Field(alias="credentialIDs")
    infos: list[CredentialInfo] = Field(default=[], alias="credentialInfos")


class Agreed(Answer):
    sad: str = Field(min_length=1, alias="SAD")
    expires_in: int = Field(default=3600, alias="expiresIn")


class Asked(Answer):
    handle: str = Field(min_length=1)


class Signed(Answer):
    signatures: list[str] | None = None
    response_id: str | None = Field(default=None, alias="responseID")
