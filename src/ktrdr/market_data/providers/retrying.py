"""When a source is asked again: the one retry policy of all sources."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ktrdr.backoff import Backoff
from ktrdr.clock import Clock, SystemClock
from ktrdr.errors import ProviderFailed

LATER = "load again later: what is stored already stays, and only the rest is asked for"

Answered = TypeVar("Answered")


class PassingTrouble(Exception):
    """A source could not answer this time; `words` go behind its name, `retry_after` is what it asked for."""

    def __init__(self, words: str, retry_after: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class SourceRetries(Backoff):
    """How often a source is asked in all, and for how many seconds at most, pauses included."""

    tries: int = 5
    budget: float = 120.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a source needs of the world: time, sleep, chance, and the seconds one answer may take."""

    clock: Clock = field(default_factory=SystemClock)
    sleep: Callable[[float], object] = time.sleep
    fraction: Callable[[], float] = random.random
    timeout: float = 30.0


class Retries:
    """Asks a source until it answers, it refuses, or patience ends."""

    def __init__(
        self,
        source: str,
        surroundings: Surroundings,
        policy: SourceRetries = SourceRetries(),
    ) -> None:
        self._source = source
        self._around = surroundings
        self._policy = policy

    def ask(self, attempt: Callable[[], Answered], *, is_repeatable: bool = True) -> Answered:
        """Return what an attempt returns; PassingTrouble has it made again, and ProviderFailed is the end."""
        began = self._around.clock.monotonic()
        failures = 0
        while True:
            try:
                return attempt()
            except PassingTrouble as trouble:
                failures += 1
                pause = self._pause(failures, trouble)
                spent = self._around.clock.monotonic() - began
                if not is_repeatable or failures >= self._policy.tries or spent + pause > self._policy.budget:
                    raise ProviderFailed(f"`{self._source}` {trouble.words}", hint=LATER) from None
            self._around.sleep(pause)

    def _pause(self, failures: int, trouble: PassingTrouble) -> float:
        wanted = self._policy.wanted(trouble.retry_after, self._around.clock.now())
        return self._policy.delay(failures, self._around.fraction()) if wanted is None else wanted
