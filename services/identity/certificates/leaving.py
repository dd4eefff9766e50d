"""A proof that the person agrees to on the provider's own page: the way there and back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from services.chassis.errors import Refused
from services.identity.certificates import proofs, proving, store
from services.identity.errors import CANNOT_SIGN, PROOF_EXPIRED, PROOF_REJECTED, PROVIDER_UNAVAILABLE
from services.means import challenge
from services.means.remote import Explicit, ProviderError, ProviderRefused

if TYPE_CHECKING:
    from contracts.access import Principal
    from services.chassis.mongo import Document
    from services.identity.certificates.registering import Registry


async def leave(registry: Registry, proof: Document, back: str) -> str:
    """The address of the provider's page; "" when there is nothing to agree to. The last way out is the one that counts.

    Raises Refused: PROVIDER_UNAVAILABLE, CANNOT_SIGN.
    """
    if not proofs.waits_on_page(proof):
        return ""
    credential = proofs.credential_of(proof["chosen"])
    hashes, purpose = [challenge.digest(proof["challenge"])], proofs.PURPOSES[proof["kind"]]
    try:
        begun = await _provider(registry, proof).begin_on_page(credential.id, hashes, purpose, redirect_uri=back, transaction=proof["_id"])
    except ProviderRefused as problem:
        raise Refused(CANNOT_SIGN, reason=problem.code.value) from problem
    except ProviderError as problem:
        raise Refused(PROVIDER_UNAVAILABLE) from problem
    leaving = {"state": _digest(begun.state), "verifier": registry.box.seal(begun.verifier)}
    await store.change_proof(registry.db, proof["_id"], {"leaving": leaving})
    return begun.url


async def come_back(registry: Registry, who: Principal, back: str, *, state: str, code: str, error: str, request_id: str) -> str:
    """What the browser brought from the provider's page; the proof's id. A way back is good once, and for its own person alone.

    Raises Refused: PROOF_EXPIRED for one that is not known; PROVIDER_UNAVAILABLE, and then the person may leave again.
    """
    proof = await store.take_way_back(registry.db, who.person, _digest(state)) if state else None
    if proof is None:
        raise Refused(PROOF_EXPIRED)
    if error == "access_denied":
        await proving.refuse(registry, proof, Refused(PROOF_REJECTED), request_id)
        return str(proof["_id"])
    if error or not code:
        raise Refused(PROVIDER_UNAVAILABLE)
    try:
        agreed = await _provider(registry, proof).finish_on_page(code, registry.box.unseal(proof["leaving"]["verifier"]), back)
    except ProviderRefused as problem:
        raise Refused(PROOF_EXPIRED) from problem
    except ProviderError as problem:
        raise Refused(PROVIDER_UNAVAILABLE) from problem
    await store.change_proof(registry.db, proof["_id"], {"agreed": registry.box.seal(agreed.sad)})
    return str(proof["_id"])


def _provider(registry: Registry, proof: Document) -> Explicit:
    client = registry.providers.client(proof["provider"])
    assert isinstance(client, Explicit), "only such a provider has credentials of this kind"
    return client


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
