"""Who asks a server: the trace that a request is part of, and the token that lets it in."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Caller:
    """What every request says of whoever sends it; the token is not part of its representation."""

    traceparent: str | None = None
    token: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers that say so."""
        said = {"traceparent": self.traceparent, "Authorization": self.token and f"Bearer {self.token}"}
        return {name: value for name, value in said.items() if value}


ANYBODY = Caller()
