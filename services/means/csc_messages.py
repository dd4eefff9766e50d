"""What a CSC v2 provider answers, with the protocol's spelling kept to the aliases. Members that we do not use are ignored."""

from pydantic import BaseModel, ConfigDict, Field


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
    """What the authorisation server says of itself (RFC 8414)."""

    pkce: tuple[str, ...] = Field(default=(), alias="code_challenge_methods_supported")


class AuthObject(Answer):
    """Something that belongs to an explicit authorisation; what a phone or the provider makes is not typed by the person."""

    id: str
    type: str
    generator: str | None = None

    @property
    def typed(self) -> bool:
        return self.type.lower() in {"pin", "password", "otp"}


class Auth(Answer):
    mode: str = "explicit"
    objects: tuple[AuthObject, ...] = ()


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
