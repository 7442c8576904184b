"""The load of bars from a provider as the executor sees it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import httpx2
from rich.console import Console

from ktrdr.cli.operation_adapters.base import OperationAdapter
from ktrdr.cli.operation_adapters.data_load_rows import load_rows
from ktrdr.cli.safe_text import safe


class DataLoadOperationAdapter(OperationAdapter):
    """Loads the bars of symbols and dates from a provider, as a mode says."""

    name: ClassVar[str] = "data_load"

    def __init__(
        self,
        symbol: str | Sequence[str] = (),
        timeframe: str = "1d",
        start_date: str | None = None,
        end_date: str | None = None,
        mode: str = "full",
        *,
        provider: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._payload: dict[str, Any] = {
            "symbols": [symbol] if isinstance(symbol, str) else list(symbol),
            "timeframe": timeframe,
            "start": start_date,
            "end": end_date,
            "mode": mode,
            "provider": provider,
            **(options or {}),
        }

    def get_start_endpoint(self) -> str:
        """Return the path that starts a load."""
        return "/api/v1/data/load"

    def get_start_payload(self) -> dict[str, Any]:
        """Return what is to be loaded."""
        return self._payload

    def parse_start_response(self, response: dict[str, Any]) -> str:
        """Return the operation id."""
        return str(response["data"]["operation_id"])

    async def display_results(
        self,
        final_status: dict[str, Any],
        console: Console,
        http_client: httpx2.AsyncClient,  # noqa: ARG002  # everything is in the status
    ) -> None:
        """Show per symbol how many bars there are now, and what it took."""
        lines = [line for each in final_status["result_summary"]["series"] for line in _lines(each)]
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)

    async def display_cancelled(self, final_status: dict[str, Any], console: Console) -> None:
        """Show how many bars were stored before it stopped; they stay."""
        stored = int(final_status["progress"].get("items_processed") or 0)
        if stored:
            console.print(f"{stored:,} new bars were stored, and stay", markup=False, highlight=False)


def _lines(series: Mapping[str, Any]) -> list[str]:
    length = 10 if series["timeframe"] in {"1d", "1w"} else 16
    span = " to ".join(safe(series[name])[:length].replace("T", " ") for name in ("first", "last"))
    parts = (
        f"{safe(series['symbol'])} {safe(series['timeframe'])}",
        f"{int(series['bars']):,} bars, {span}",
        f"{safe(series['provider'])}, {safe(series['adjustment'])}",
    )
    return [" · ".join(parts), *(f"  {title:<9} {words}" for title, words in load_rows(series) if words)]
