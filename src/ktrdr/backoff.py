"""How long to wait before asking again: what all retry policies share."""

import math
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Backoff:
    """Growing delays in seconds, each spread by a share `jitter`; the last delay is repeated.

    What a server asks for wins, within 0 to `longest_delay`.
    """

    delays: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
    jitter: float = 0.25
    longest_delay: float = 60.0

    def delay(self, failures: int, fraction: float) -> float:
        """Return the seconds to wait after `failures` failures; `fraction` of 0 to 1 places the jitter."""
        base = self.delays[min(failures, len(self.delays)) - 1]
        return base * (1 + self.jitter * (2 * fraction - 1))

    def wanted(self, retry_after: str, now: datetime) -> float | None:
        """Return the seconds that a `Retry-After` header asks for; None if it asks for nothing readable."""
        seconds = read_retry_after(retry_after, now)
        return None if seconds is None else min(max(seconds, 0.0), self.longest_delay)


def read_retry_after(text: str, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header says, as seconds or as a date (RFC 9110, 10.2.3)."""
    with suppress(ValueError):
        seconds = float(text.strip())
        return None if math.isnan(seconds) else seconds
    try:
        moment = parsedate_to_datetime(text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now.timestamp()
