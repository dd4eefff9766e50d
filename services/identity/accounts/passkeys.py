"""Passkeys (WebAuthn): what the browser is asked for, and whether its answer is good.

A key that itself checks its owner (PIN, finger, face) is required; which maker it comes from does not matter.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import bytes_to_base64url, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from contracts.menu import PRODUCT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MALFORMED = (WebAuthnException, ValueError, KeyError, TypeError)
"""What the library raises at an answer that is wrong, or none at all."""


@dataclass(frozen=True)
class Site:
    """Whom a key answers: `name` is the host of the public address, `origin` what the browser says that it shows."""

    name: str
    origin: str


@dataclass(frozen=True)
class Made:
    credential_id: str
    public_key: bytes
    sign_count: int


def site_of(public_url: str) -> Site:
    """Raises ValueError for an address without a host."""
    parts = urlsplit(public_url)
    if not parts.hostname:
        raise ValueError("the public address names no host")
    return Site(parts.hostname, f"{parts.scheme}://{parts.netloc}")


def creation_options(site: Site, challenge: bytes, *, person: str, name: str, existing: Iterable[str]) -> dict[str, Any]:
    """For navigator.credentials.create(); a key that is there already is not made again."""
    options = webauthn.generate_registration_options(
        rp_id=site.name,
        rp_name=PRODUCT,
        user_name=person,
        user_display_name=name,
        user_id=hashlib.sha256(person.encode()).digest(),
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_described(existing),
    )
    return dict(options_to_json_dict(options))


def request_options(site: Site, challenge: bytes, existing: Iterable[str]) -> dict[str, Any]:
    """For navigator.credentials.get()."""
    options = webauthn.generate_authentication_options(
        rp_id=site.name,
        challenge=challenge,
        allow_credentials=_described(existing),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options_to_json_dict(options))


def made(site: Site, challenge: bytes, answer: Mapping[str, Any]) -> Made | None:
    """The new key; None when the answer is not one to this challenge, for this site, by its present and verified owner."""
    try:
        verified = webauthn.verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except MALFORMED:
        return None
    return Made(bytes_to_base64url(verified.credential_id), verified.credential_public_key, verified.sign_count)


def used(site: Site, challenge: bytes, answer: Mapping[str, Any], *, public_key: bytes, sign_count: int) -> int | None:
    """The key's new count of uses; None when the answer is not good, or the count shows that the key was copied."""
    try:
        verified = webauthn.verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except MALFORMED:
        return None
    return verified.new_sign_count


def _described(ids: Iterable[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(each)) for each in ids]
