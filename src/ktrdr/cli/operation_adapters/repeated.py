"""An operation like an earlier one: started by naming that one, shown in the words of its kind."""

from typing import Any
from urllib.parse import quote

import httpx2
from rich.console import Console

from ktrdr.cli.operation_adapters.base import OperationAdapter
from ktrdr.operations.progress import GenericProgressState


class RepeatedOperationAdapter(OperationAdapter):
    """Starts an operation like the one of this id; everything else is what `kind` does."""

    def __init__(self, operation_id: str, kind: OperationAdapter) -> None:
        self.name = kind.name  # type: ignore[misc]  # it stands for whatever kind it repeats
        self._operation_id = operation_id
        self._kind = kind

    def get_start_endpoint(self) -> str:
        """Return the path that repeats the operation."""
        return f"/api/v1/operations/{quote(self._operation_id, safe='')}/retry"

    def get_start_payload(self) -> dict[str, Any]:
        """Return nothing: the server knows what was asked."""
        return {}

    def parse_start_response(self, response: dict[str, Any]) -> str:
        """Return the id of the new operation."""
        return self._kind.parse_start_response(response)

    async def display_results(
        self, final_status: dict[str, Any], console: Console, http_client: httpx2.AsyncClient
    ) -> None:
        """Show the results as the kind does."""
        await self._kind.display_results(final_status, console, http_client)

    def adapt_progress(self, status: dict[str, Any]) -> GenericProgressState:
        """Return the progress as the kind does."""
        return self._kind.adapt_progress(status)

    def adapt_metrics(self, status: dict[str, Any]) -> dict[str, Any]:
        """Return the figures as the kind does."""
        return self._kind.adapt_metrics(status)

    async def display_cancelled(self, final_status: dict[str, Any], console: Console) -> None:
        """Show what was done as the kind does."""
        await self._kind.display_cancelled(final_status, console)
