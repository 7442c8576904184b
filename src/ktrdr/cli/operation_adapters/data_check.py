"""The check of stored bars as the executor sees it."""

from typing import Any, ClassVar

import httpx2
from rich.console import Console

from ktrdr.cli.operation_adapters.base import OperationAdapter
from ktrdr.cli.quality_words import gap_lines, quality_lines


class DataCheckOperationAdapter(OperationAdapter):
    """Checks the bars of a series, and shows their quality or, with `every_gap`, each unexpected gap.

    `operation_id` is None until the server has answered the start.
    """

    name: ClassVar[str] = "data_check"

    def __init__(
        self,
        symbol: str = "",
        timeframe: str = "1d",
        provider: str | None = None,
        *,
        calendar: str | None = None,
        start: str | None = None,
        end: str | None = None,
        fail_on_gaps: bool = False,
        every_gap: bool = False,
    ) -> None:
        self._payload: dict[str, Any] = {
            "symbol": symbol,
            "timeframe": timeframe,
            "provider": provider,
            "calendar": calendar,
            "start": start,
            "end": end,
            "fail_on_gaps": fail_on_gaps,
        }
        self._lines = gap_lines if every_gap else quality_lines
        self.operation_id: str | None = None

    def get_start_endpoint(self) -> str:
        """Return the path that starts a check."""
        return "/api/v1/data/check"

    def get_start_payload(self) -> dict[str, Any]:
        """Return which bars, and by which calendar."""
        return self._payload

    def parse_start_response(self, response: dict[str, Any]) -> str:
        """Return the operation id, and keep it for who wants to read the result again."""
        self.operation_id = str(response["data"]["operation_id"])
        return self.operation_id

    async def display_results(
        self,
        final_status: dict[str, Any],
        console: Console,
        http_client: httpx2.AsyncClient,  # noqa: ARG002  # everything is in the status
    ) -> None:
        """Show the quality of the bars."""
        lines = self._lines(final_status["result_summary"])
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
