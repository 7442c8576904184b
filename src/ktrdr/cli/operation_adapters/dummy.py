"""The adapter to copy."""

from typing import Any, ClassVar

import httpx2
from rich.console import Console

from ktrdr.cli.operation_adapters.base import OperationAdapter


class DummyOperationAdapter(OperationAdapter):
    """Counts to `iterations` within `duration` seconds."""

    name: ClassVar[str] = "dummy"

    def __init__(self, duration: float = 10.0, iterations: int = 100) -> None:
        self._duration = duration
        self._iterations = iterations

    def get_start_endpoint(self) -> str:
        """Return the path that starts a dummy operation."""
        return "/api/v1/dummy/start"

    def get_start_payload(self) -> dict[str, Any]:
        """Return duration and iterations."""
        return {"duration": self._duration, "iterations": self._iterations}

    def parse_start_response(self, response: dict[str, Any]) -> str:
        """Return the operation id."""
        return str(response["data"]["operation_id"])

    async def display_results(
        self,
        final_status: dict[str, Any],
        console: Console,
        http_client: httpx2.AsyncClient,  # noqa: ARG002  # everything is in the status
    ) -> None:
        """Show the iterations completed and the total time."""
        result = final_status["result_summary"]
        console.print(f"Iterations completed  {int(result['iterations_completed'])}", highlight=False)
        console.print(f"Total time            {float(result['total_time']):.1f} s", highlight=False)

    async def display_cancelled(self, final_status: dict[str, Any], console: Console) -> None:
        """Show how far the counting got."""
        progress = final_status.get("progress") or {}
        console.print(f"Iterations completed  {int(progress.get('items_processed') or 0)}", highlight=False)
