"""The import of one's own bars as the executor sees it."""

from collections.abc import Mapping
from typing import Any, ClassVar

import httpx2
from rich.console import Console

from ktrdr.cli.operation_adapters.base import OperationAdapter
from ktrdr.cli.operation_adapters.data_import_rows import import_lines


class DataImportOperationAdapter(OperationAdapter):
    """Imports an uploaded file as the bars of a symbol, or of several, and a timeframe."""

    name: ClassVar[str] = "data_import"

    def __init__(
        self,
        upload_id: str = "",
        file_name: str = "",
        symbol: str | None = None,
        timeframe: str = "",
        *,
        columns: Mapping[str, str] | None = None,
        tz: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._payload: dict[str, Any] = {
            "upload_id": upload_id,
            "file_name": file_name,
            "symbol": symbol,
            "timeframe": timeframe,
            "columns": dict(columns or {}),
            "tz": tz,
            **(options or {}),
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
        """Show how many bars there are now, and what was dropped, ignored, set aside or replaced."""
        lines = import_lines(final_status["result_summary"])
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)

    async def display_cancelled(self, final_status: dict[str, Any], console: Console) -> None:
        """Show how many whole series were stored before it stopped; they stay."""
        stored = int(final_status["progress"].get("items_processed") or 0)
        if stored:
            console.print(f"{stored:,} series were stored, and stay", markup=False, highlight=False)
