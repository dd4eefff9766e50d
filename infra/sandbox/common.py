"""What the sandbox servers share: their command line, the directory where they find each other, and serving."""

import argparse
import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI


@dataclass(frozen=True)
class Place:
    """Where a server keeps its files and is reached."""

    directory: Path
    host: str
    port: int
    url: str


def argument_parser(part: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m infra.sandbox.{part}", description=description)
    parser.add_argument("--dir", type=Path, required=True, help="directory shared by the sandbox servers")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--url", help="address that others use, if it differs from http://HOST:PORT")
    return parser


def place_of(options: argparse.Namespace) -> Place:
    url = options.url or f"http://{options.host}:{options.port}"
    return Place(directory=options.dir.resolve(), host=options.host, port=options.port, url=url.rstrip("/"))


def announce(directory: Path, part: str, url: str) -> None:
    """Write this server's address into DIR/sandbox.json, under a lock because several processes share the file."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "sandbox.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = directory / "sandbox.json"
        known = json.loads(file.read_text()) if file.exists() else {}
        known[part] = {"url": url}
        write_atomically(file, json.dumps(known, indent=2, sort_keys=True).encode())


def address(directory: Path, part: str) -> str:
    """URL of another sandbox server. Raises LookupError when it has not been started with this directory yet."""
    file = directory / "sandbox.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    if part not in known:
        raise LookupError(f"{file} names no address for {part!r}: start python -m infra.sandbox.{part} with the same --dir first")
    return str(known[part]["url"])


def write_atomically(file: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace a file at once, so that a reader never meets half of it."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    temporary.replace(file)


def serve(app: FastAPI, place: Place) -> None:
    """Run until SIGTERM or SIGINT."""
    uvicorn.run(
        app, host=place.host, port=place.port, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=3
    )
