"""The signing program as its person starts it: a process of its own, behind the real gateway, with a SoftHSM2 token plugged in."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import uvicorn
from fastapi import FastAPI

from infra.generate import ROOT
from tests.unit.agent.softhsm import MODULE, Tokens

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds until something that must happen counts as never happening."""


async def until(reached: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if reached():
                return
            await asyncio.sleep(0.05)


async def until_true(reached: Callable[[], Awaitable[T]]) -> T:
    """The first answer that holds something."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await reached()
            if answer:
                return answer
            await asyncio.sleep(0.05)


@asynccontextmanager
async def served(app: FastAPI, port: int) -> AsyncIterator[None]:
    """The application where the gateway expects identity."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@dataclass
class Computer:
    """Where the program is installed: its own folder, and the tokens that are plugged in."""

    folder: Path
    server: str
    ca: Path

    def __post_init__(self) -> None:
        self.tokens = Tokens(self.folder / "softhsm")

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @asynccontextmanager
    async def running(self, *arguments: str) -> AsyncIterator[Program]:
        """A command of the program; it has no terminal, so that it reads the PIN where tests can write it."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")},
            **self.tokens.environment,
            "PYTHONPATH": str(ROOT / "agent"),
            "HOCBA_AGENT_HOME": str(self.home),
            "PYTHONIOENCODING": "utf-8",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "hocba_agent",
            *arguments,
            env=environment,
            start_new_session=True,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        program = Program(process)
        program.reading = asyncio.create_task(program.read())
        try:
            yield program
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await program.reading

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Exit status and everything said, of a command that ends by itself."""
        async with self.running(*arguments) as program:
            assert program.process.stdin is not None
            program.process.stdin.close()
            return await program.ended(), program.said

    async def pair(self, code: str) -> tuple[int, str]:
        return await self.run("pair", "--server", self.server, "--ca", str(self.ca), "--module", MODULE, code)


@dataclass
class Program:
    process: asyncio.subprocess.Process
    said: str = ""
    reading: asyncio.Task[None] = field(init=False)

    async def read(self) -> None:
        assert self.process.stdout is not None
        while part := await self.process.stdout.read(4096):
            self.said += part.decode(errors="replace")

    async def says(self, words: str, times: int = 1) -> None:
        await until(lambda: self.said.count(words) >= times or self.process.returncode is not None)
        assert self.said.count(words) >= times, f"ended without saying {words!r}:\n{self.said}"

    async def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE):
            status = await self.process.wait()
            await self.reading
        return status
