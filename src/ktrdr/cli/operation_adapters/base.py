"""The contract between the executor and one domain."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import httpx2
from rich.console import Console

from ktrdr.cli.safe_text import safe
from ktrdr.operations.progress import GenericProgressState


class OperationAdapter(ABC):
    """Translates one domain to HTTP and back; knows nothing of polling, signals or progress bars.

    `name` is part of every operation id the executor mints.
    """

    name: ClassVar[str] = "operation"

    @abstractmethod
    def get_start_endpoint(self) -> str:
        """Return the path that starts the operation."""

    @abstractmethod
    def get_start_payload(self) -> dict[str, Any]:
        """Return the JSON body that starts the operation."""

    @abstractmethod
    def parse_start_response(self, response: dict[str, Any]) -> str:
        """Return the operation id in the answer to the start."""

    @abstractmethod
    async def display_results(
        self, final_status: dict[str, Any], console: Console, http_client: httpx2.AsyncClient
    ) -> None:
        """Show the results of a completed operation on `console`."""

    def adapt_progress(self, status: dict[str, Any]) -> GenericProgressState:
        """Return the progress in an operation."""
        shape = status.get("progress") or {}
        return GenericProgressState.from_dict(str(status.get("operation_id", "")), shape)

    def adapt_metrics(self, status: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002  # none by default
        """Return the domain's figures at this moment, for programs; empty where there are none."""
        return {}

    async def display_cancelled(  # noqa: B027  # optional, and nothing is a good default
        self, final_status: dict[str, Any], console: Console
    ) -> None:
        """Show what a cancelled operation got done; nothing unless a domain has something to say."""

    @classmethod
    def for_display(cls) -> Self:
        """Return an adapter that only shows; to be overridden where the constructor needs arguments."""
        return cls()


class DescribedKindAdapter(OperationAdapter):
    """Starts and shows operations of a kind that only the server's description is known of."""

    def __init__(
        self, kind: str = "operation", start_path: str = "", payload: dict[str, Any] | None = None
    ) -> None:
        self.name = kind  # type: ignore[misc]  # its class stands for every kind without a class
        self._start_path = start_path
        self._payload = payload or {}

    def get_start_endpoint(self) -> str:
        """Return the path that the server described."""
        return self._start_path

    def get_start_payload(self) -> dict[str, Any]:
        """Return the fields that were given."""
        return self._payload

    def parse_start_response(self, response: dict[str, Any]) -> str:
        """Return the operation id of any start."""
        return str(response["data"]["operation_id"])

    async def display_results(
        self,
        final_status: dict[str, Any],
        console: Console,
        http_client: httpx2.AsyncClient,  # noqa: ARG002  # everything is in the status
    ) -> None:
        """Show every field of the result, one a line."""
        for name, value in (final_status.get("result_summary") or {}).items():
            console.print(f"{safe(name)}: {safe(value)}", markup=False, highlight=False)
