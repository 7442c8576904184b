"""What a command is to its operation: its owner, a follower, or one that starts it and leaves."""

from dataclasses import dataclass
from enum import StrEnum


class OnInterrupt(StrEnum):
    """What the first Ctrl+C does."""

    CANCEL = "cancel"
    DETACH = "detach"


@dataclass(frozen=True, slots=True)
class Role:
    """Whether a command starts the operation, stays until its end, and cancels it on Ctrl+C."""

    starts: bool
    stays: bool
    cancels: bool

    @property
    def footer(self) -> str:
        """Return what Ctrl+C will do, to be said before it is pressed."""
        return "Ctrl+C cancels the operation" if self.cancels else "Ctrl+C stops following; the work goes on"


OWNER = Role(starts=True, stays=True, cancels=True)
FOLLOWER = Role(starts=False, stays=True, cancels=False)
STARTER = Role(starts=True, stays=False, cancels=True)
