"""How often a source may be asked, kept by all processes of this machine together."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from ktrdr.clock import Clock
from ktrdr.file_locks import exclusive_lock

SHORTEST_WAIT = 0.01


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `requests` in any `seconds`."""

    requests: int
    seconds: float


class PacingBudget:
    """Lets a request go once fewer than the pace's requests went in the seconds before.

    `folder` is where processes share the times of their requests, in `<source>.json`; None: in memory.
    `source` is a plain word. Times are wall times in seconds, for processes share no other clock; a clock
    that was set back makes nobody wait longer than the pace's seconds.
    """

    def __init__(
        self, source: str, pace: Pace, folder: Path | None, *, clock: Clock, sleep: Callable[[float], object]
    ) -> None:
        self._pace = pace
        self._file = folder / f"{source}.json" if folder else None
        self._lock = folder / f"{source}.lock" if folder else None
        self._times: list[float] = []
        self._clock = clock
        self._sleep = sleep

    def take(self) -> None:
        """Return when one more request may go, which is counted from now on."""
        while wait := self._try():
            self._sleep(wait)

    def _try(self) -> float:
        """Count a request and return 0, or return in how many seconds there may be room for it."""
        with exclusive_lock(self._lock) if self._lock else nullcontext():
            now = self._clock.now().timestamp()
            recent = sorted(min(each, now) for each in self._read() if each > now - self._pace.seconds)
            if len(recent) >= self._pace.requests:
                self._write(recent)
                return max(recent[-self._pace.requests] + self._pace.seconds - now, SHORTEST_WAIT)
            self._write([*recent, now])
        return 0.0

    def _read(self) -> list[float]:
        if self._file is None:
            return self._times
        try:
            return [float(each) for each in json.loads(self._file.read_bytes())]
        except (OSError, ValueError, TypeError):
            return []  # nobody asked yet, or a process ended while it wrote

    def _write(self, times: list[float]) -> None:
        if self._file is None:
            self._times = times
        else:
            self._file.write_text(json.dumps(times))
