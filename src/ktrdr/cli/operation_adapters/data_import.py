"""The import of one's own bars as the executor sees it."""

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx2
from rich.console import Console

from ktrdr.cli.operation_adapters.base import OperationAdapter
from ktrdr.cli.safe_text import safe


class DataImportOperationAdapter(OperationAdapter):
    """Imports an uploaded CSV file as the bars of a symbol and timeframe."""

    name: ClassVar[str] = "data_import"

    def __init__(
        self,
        upload_id: str = "",
        file_name: str = "",
        symbol: str = "",
        timeframe: str = "",
        *,
        columns: Mapping[str, str] | None = None,
        tz: str | None = None,
    ) -> None:
        self._payload: dict[str, Any] = {
            "upload_id": upload_id,
            "file_name": file_name,
            "symbol": symbol,
            "timeframe": timeframe,
            "columns": dict(columns or {}),
            "tz": tz,
        }

    def claim(self, upload_id: str) -> None:
        """Remember under which id the file was sent."""
        self._payload["upload_id"] = upload_id

    def get_start_endpoint(self) -> str:
        """Return the path that starts an import."""
        return "/api/v1/data/import"

    def get_start_payload(self) -> dict[str, Any]:
        """Return the upload's id and what its bars are of."""
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
        """Show how many bars there are now, and what was dropped, ignored or replaced."""
        console.print(
            "\n".join(_lines(final_status["result_summary"])), markup=False, highlight=False, soft_wrap=True
        )


def _lines(result: Mapping[str, Any]) -> list[str]:
    length = 10 if result["timeframe"] in {"1d", "1w"} else 16
    span = " to ".join(safe(result[name])[:length].replace("T", " ") for name in ("first", "last"))
    lines = [f"{safe(result['symbol'])} {safe(result['timeframe'])} · {int(result['bars']):,} bars, {span}"]
    if dropped := int(result["duplicates_dropped"]):
        lines.append(f"  Dropped   {dropped:,} exact duplicates")
    if ignored := result["ignored_columns"]:
        lines.append(f"  Ignored   {', '.join(map(safe, ignored))}")
    if replaced := int(result["replaced_bars"]):
        lines.append(f"  Replaced  {replaced:,} bars imported before")
    return lines
