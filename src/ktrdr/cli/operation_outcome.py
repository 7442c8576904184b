"""How attending an operation went."""

from dataclasses import dataclass
from typing import Any

from ktrdr.cli.error_report import error_object
from ktrdr.cli.event_lines import OUTCOMES
from ktrdr.errors import KtrdrError
from ktrdr.operations.operation import OperationStatus

SIGNAL_EXIT = 128
UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class OperationOutcome:
    """How it went: `status` is the server's word, or `not_started`, `detached`, `left` or `lost`.

    `leaving` is the signal after which the command is to be gone, whether or not its last words are read.
    """

    status: str
    exit_code: int
    operation_id: str
    reason: str = ""
    final: dict[str, Any] | None = None
    error: KtrdrError | None = None
    leaving: int | None = None

    @property
    def completed(self) -> bool:
        """Tell whether the server said that the operation completed."""
        return self.status == OperationStatus.COMPLETED

    @property
    def word(self) -> str:
        """Return how the following went, whatever became of the operation: one of OUTCOMES."""
        status = "detached" if self.status == "left" else self.status
        return status if status in OUTCOMES else "finished"

    def to_dict(self) -> dict[str, Any]:
        """Return the one object of `--output json`: identity, end, result and the operation itself."""
        return {
            "operation_id": self.operation_id,
            "status": self.status,
            "exit_code": self.exit_code,
            "reason": self.reason or None,
            "error": error_object(self.error) if self.error else self._told_by_the_server(),
            "result": (self.final or {}).get("result_summary"),
            "operation": self.final,
        }

    def _told_by_the_server(self) -> dict[str, Any] | None:
        """Return why the operation failed, in the shape of every other error."""
        error = (self.final or {}).get("error")
        return {"lines": [], **error} if isinstance(error, dict) else None
