"""A system that reads transcripts in the manner of VNeID: signs what it asks, checks what it gets.

`python -m infra.sandbox.consumer --key-file FILE --url https://… [--ca-file PEM] --personal-id … --purpose … --consent … [--save DIR]`
"""

import argparse
import asyncio
import json
import ssl
import sys
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

AUDIENCE = "urn:hocba:reading"
API = "/api/publishing/reading"
SECONDS = 60


@dataclass(frozen=True)
class Consumer:
    """`id` is the one that it is registered by; `key` a private key of P-256 whose public half is registered."""

    id: str
    key: ECKey
    http: httpx.AsyncClient

    def signed(self, **claims: Any) -> str:
        """A request, good once and for a minute."""
        now = int(time.time())
        proof = {"iss": self.id, "aud": AUDIENCE, "iat": now, "exp": now + SECONDS, "jti": str(uuid4())}
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, {**proof, **claims}, self.key, algorithms=["ES256"])

    async def send(self, path: str, token: str) -> httpx.Response:
        return await self.http.post(f"{API}/{path}", content=token, headers={"Content-Type": "application/jwt"})

    async def transcripts(self, personal_id: str, purpose: str, consent: str) -> dict[str, Any]:
        """Raises HTTPStatusError when it is refused."""
        answer = await self.send("transcripts", self.signed(personal_id=personal_id, purpose=purpose, consent=consent))
        told: dict[str, Any] = answer.raise_for_status().json()
        return told

    async def file(self, reading: str, document: str, told: dict[str, Any]) -> bytes:
        """One of the files that an answer lists. Raises HTTPStatusError, and ValueError for another file than the one listed."""
        answer = await self.send("files", self.signed(reading=reading, document=document, form=told["form"]))
        content = answer.raise_for_status().content
        if sha256(content).hexdigest() != told["sha256"]:
            raise ValueError("the file is not the one that was listed")
        return content


async def _main(options: argparse.Namespace) -> int:
    trust = ssl.create_default_context(cafile=options.ca_file)
    key = ECKey.import_key(json.loads(options.key_file.read_text()))
    async with httpx.AsyncClient(base_url=options.url, verify=trust, timeout=60) as http:
        consumer = Consumer(options.id, key, http)
        answer = await consumer.send(
            "transcripts", consumer.signed(personal_id=options.personal_id, purpose=options.purpose, consent=options.consent)
        )
        print(json.dumps(answer.json(), ensure_ascii=False, indent=2))
        if answer.is_error:
            return 1
        for each in answer.json()["transcripts"] if options.save else ():
            for told in each["files"]:
                content = await consumer.file(answer.json()["reading"], each["document"], told)
                (options.save / f"{each['document']}.{told['form']}").write_bytes(content)
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox.consumer", description="reads transcripts as a registered system")
    parser.add_argument("--id", default="vneid-sandbox")
    parser.add_argument("--key-file", type=Path, required=True, help="private JWK")
    parser.add_argument("--url", required=True)
    parser.add_argument("--ca-file", type=Path)
    parser.add_argument("--personal-id", required=True)
    parser.add_argument("--purpose", default="own_view")
    parser.add_argument("--consent", required=True)
    parser.add_argument("--save", type=Path, help="folder for the files")
    return asyncio.run(_main(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
