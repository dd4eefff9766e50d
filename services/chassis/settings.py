"""Settings of one process, read from the environment; secrets come from files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

V = TypeVar("V")


class Settings(BaseSettings):
    """Every `HOCBA_…` variable. A service refuses to start when one that it needs is missing."""

    model_config = SettingsConfigDict(env_prefix="HOCBA_", frozen=True, extra="ignore")

    instance: str = "local"
    log_level: str = "INFO"
    host: str = "127.0.0.1"
    port: int = Field(description="HTTP port of the web role")
    admin_port: int = Field(description="port of /livez /readyz /metrics when no web role runs")
    mongo_url: str
    mongo_user: str
    mongo_password_file: Path
    kafka: str
    objects: str
    objects_user: str
    objects_password_file: Path
    public_url: str
    token_keys_file: Path
    token_signing_key_file: Path | None = None
    trust_dir: Path | None = None
    providers_file: Path | None = None
    sign_in_providers_file: Path | None = Field(default=None, description="OpenID providers by which people may sign in; none without it")
    sealing_key_file: Path | None = None
    factor_key_file: Path | None = Field(default=None, description="Fernet key over the secrets of second factors; identity")
    second_factor: Literal["required", "off-for-demo"] = Field(default="required", description="off only where nobody's data is real")
    agent_key_file: Path | None = Field(
        default=None, description="private JWK that jobs of the token agents are signed with; identity, signing"
    )
    tsa_url: str | None = Field(default=None, description="RFC 3161 timestamping authority")
    # RFC 4998 evidence records; signing
    evidence_most: int = Field(default=1000, ge=1, le=5000, description="documents under one timestamp")
    evidence_wait_seconds: float = Field(default=600, ge=0, description="how long a sealed document waits for others")
    evidence_hash: Literal["sha256", "sha384", "sha512"] = Field(default="sha256", description="a stronger one renews all in a weaker one")
    evidence_ahead_days: float = Field(default=180, gt=0, description="renewed so long before a timestamping unit's certificate ends")
    ca_file: Path | None = None
    gateway_url: str | None = None
    gateway_callback_secret_file: Path | None = None
    consumers_file: Path | None = Field(default=None, description="systems that may read over the API, with their public keys; publishing")
    admissions_url: str | None = Field(default=None, description="the admissions portal; publishing")
    sector_url: str | None = Field(default=None, description="the sector database that data may be pulled from; records")
    sector_secret_file: Path | None = Field(default=None, description="the secret that it knows this installation by; records")
    service_key_file: Path | None = None
    service_cert_file: Path | None = None
    package_trust_file: Path | None = Field(default=None, description="PEM certificates of the installations whose packages are taken")
    audits_per_minute: float = Field(default=60, gt=0, description="stored documents that are examined again, at most; signing")
    pool_size: int = Field(default=1, ge=1, description="processes for work that needs the processor")
    # how long others wait for what a killed process held; shorter, and a busy one is taken for dead
    consumer_session_seconds: float = Field(default=45, ge=6, description="partitions of a topic; the broker allows no less than 6")
    relay_lease_seconds: float = Field(default=15, gt=0, description="buckets of the outbox")
    lease_seconds: float = Field(default=60, gt=0, description="signing batches, jobs, packages")


def secret(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def needed(value: V | None, name: str) -> V:
    """A setting that this service cannot do without."""
    if value is None:
        raise SystemExit(f"HOCBA_{name.upper()} is not set")
    return value
