"""Settings of one process, read from the environment; secrets come from files."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    sealing_key_file: Path | None = None
    ca_file: Path | None = None
    gateway_url: str | None = None
    gateway_callback_secret_file: Path | None = None
    service_key_file: Path | None = None
    service_cert_file: Path | None = None
    pool_size: int = Field(default=1, ge=1, description="processes for work that needs the processor")


def secret(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def needed(value: Path | None, name: str) -> Path:
    """A setting that this service cannot do without."""
    if value is None:
        raise SystemExit(f"HOCBA_{name.upper()} is not set")
    return value
