"""Training as the executor sees it, and its results as a person does."""

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx2
from rich.console import Console

from ktrdr.cli.operation_adapters.base import OperationAdapter
from ktrdr.cli.operation_adapters.training_tables import dry_run_lines, performance_lines


class TrainingOperationAdapter(OperationAdapter):
    """Trains a strategy, whose text travels beside its name; unset options mean as the file says."""

    name: ClassVar[str] = "training"

    def __init__(
        self,
        strategy_name: str = "",
        symbols: tuple[str, ...] = (),
        timeframes: tuple[str, ...] = (),
        start_date: str | None = None,
        end_date: str | None = None,
        *,
        strategy: str = "",
        options: Mapping[str, Any] | None = None,
        verbose: bool = False,
    ) -> None:
        self._payload = {
            "strategy_name": strategy_name,
            "strategy": strategy,
            "symbols": list(symbols),
            "timeframes": list(timeframes),
            "start_date": start_date,
            "end_date": end_date,
            **(options or {}),
        }
        self._verbose = verbose

    def get_start_endpoint(self) -> str:
        """Return the path that starts a training."""
        return "/api/v1/trainings/start"

    def get_start_payload(self) -> dict[str, Any]:
        """Return the strategy's text and what replaces parts of it."""
        return self._payload

    def adapt_metrics(self, status: dict[str, Any]) -> dict[str, Any]:
        """Return epoch and losses."""
        context = (status.get("progress") or {}).get("context") or {}
        figures = context.get("epoch_metrics") or {}
        return {"epoch": context.get("epoch_index"), **figures} if figures else {}

    def parse_start_response(self, response: dict[str, Any]) -> str:
        """Return the operation id."""
        return str(response["data"]["operation_id"])

    async def display_results(
        self, final_status: dict[str, Any], console: Console, http_client: httpx2.AsyncClient
    ) -> None:
        """Show metrics with the baselines beside them, fetched from the training's performance."""
        summary = final_status["result_summary"]
        if summary["dry_run"]:
            lines = dry_run_lines(summary)
        else:
            path = f"/api/v1/trainings/{final_status['operation_id']}/performance"
            answer = await http_client.get(path)
            answer.raise_for_status()
            lines = performance_lines(summary, answer.json()["data"], verbose=self._verbose)
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)

    async def display_cancelled(self, final_status: dict[str, Any], console: Console) -> None:
        """Show at which epoch the training stopped."""
        context = (final_status.get("progress") or {}).get("context") or {}
        if epoch := context.get("epoch_index"):
            words = f"stopped at epoch {int(epoch)} of {int(context['total_epochs'])}"
            console.print(words, markup=False, highlight=False)
