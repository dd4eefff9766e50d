"""The phone: what a user was asked to confirm, and how the answer comes about."""

import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from infra.sandbox.provider.errors import CscError
from infra.sandbox.provider.vault import Credential

Mode = Literal["auto", "manual", "reject", "expire"]
State = Literal["waiting", "confirmed", "rejected", "expired"]

# how long a request stays on the phone when nobody answers
PATIENCE_SECONDS = 300.0


@dataclass
class Habit:
    """How a phone answers: by itself, by hand, with a refusal, or not at all; after `delay` seconds."""

    mode: Mode = "auto"
    delay: float = 0.5


@dataclass
class Authorisation:
    """One request for confirmation, and the SAD that comes of it."""

    handle: str
    credential: Credential
    hashes: frozenset[str]
    hash_algorithm: str
    signatures_allowed: int
    description: str
    habit: Habit
    sad_life: float
    provider: str = ""
    titles: tuple[str, ...] = ()
    created: float = field(default_factory=time.monotonic)
    state: State = "waiting"
    sad: str = ""
    sad_until: float = 0.0
    signatures_used: int = 0

    def settle(self) -> State:
        """The state as of now: the habits need no timer, time passed is enough."""
        if self.state != "waiting":
            return self.state
        age = time.monotonic() - self.created
        if self.habit.mode != "manual" and age >= self.habit.delay:
            outcome: dict[Mode, State] = {"auto": "confirmed", "reject": "rejected", "expire": "expired"}
            self.answer(outcome[self.habit.mode])
        elif age >= PATIENCE_SECONDS:
            self.answer("expired")
        return self.state

    def answer(self, state: State) -> None:
        self.state = state
        if state == "confirmed":
            self.sad = secrets.token_urlsafe(32)
            self.sad_until = time.monotonic() + self.sad_life

    @property
    def shown(self) -> tuple[str, ...]:
        """The titles of the documents; a protocol without them may have put them below the first line of the description."""
        return self.titles or tuple(self.description.splitlines()[1:])

    def expires_in(self) -> int:
        """Seconds that the SAD is still good for."""
        return max(0, int(self.sad_until - time.monotonic()))


class Phones:
    """All phones and their requests, in memory: a restart forgets what was pending, as an outage of a provider may."""

    def __init__(self) -> None:
        self.default = Habit()
        self.habits: dict[str, Habit] = {}
        self.outcomes: Counter[str] = Counter()
        self._by_handle: dict[str, Authorisation] = {}

    def habit_of(self, user: str) -> Habit:
        return self.habits.get(user, self.default)

    def add(self, authorisation: Authorisation) -> None:
        """Push it to the phone."""
        self._by_handle[authorisation.handle] = authorisation
        self.outcomes["requested"] += 1

    def by_handle(self, handle: str) -> Authorisation:
        """Raises CscError for an unknown handle."""
        found = self._by_handle.get(handle)
        if found is None:
            raise CscError("Invalid parameter handle")
        return found

    def by_sad(self, sad: str) -> Authorisation:
        """The confirmed authorisation behind a SAD. Raises CscError when unknown or too old."""
        found = next((each for each in self._by_handle.values() if each.sad and secrets.compare_digest(each.sad, sad)), None)
        if found is None:
            raise CscError("Invalid parameter SAD")
        if time.monotonic() >= found.sad_until:
            raise CscError("SAD expired")
        return found

    def pending(self) -> list[Authorisation]:
        return [each for each in self._by_handle.values() if each.settle() == "waiting"]

    def counts(self) -> dict[str, int]:
        states: Counter[str] = Counter(each.settle() for each in self._by_handle.values())
        return {"requested": self.outcomes["requested"], **dict(states)}
