"""What users, scripts and adapters depend on changes only on purpose."""

import inspect

import httpx2
import pytest
from rich.console import Console

from ktrdr.cli import operation_adapters
from ktrdr.cli.api_client import KtrdrApiClient
from ktrdr.cli.operation_adapters.base import OperationAdapter
from ktrdr.cli.operation_executor import AsyncOperationExecutor
from ktrdr.cli.progress_display import EnhancedCLIProgressDisplay
from ktrdr.operations.progress import GenericProgressState
from support.surface import PAGES, REFERENCE

ON_PURPOSE = "if this is meant, run `make docs` and say so in the changelog"


@pytest.mark.parametrize("page", PAGES)
def test_the_reference_says_what_the_product_does(page: str) -> None:
    assert PAGES[page]() == (REFERENCE / page).read_text(), ON_PURPOSE


def test_an_adapter_has_four_abstract_methods_and_no_more() -> None:
    four = {"get_start_endpoint", "get_start_payload", "parse_start_response", "display_results"}
    assert OperationAdapter.__abstractmethods__ == four
    assert inspect.iscoroutinefunction(OperationAdapter.display_results)
    shown = inspect.signature(OperationAdapter.display_results).parameters
    assert [each.annotation for each in shown.values()][2:] == [Console, httpx2.AsyncClient]
    assert OperationAdapter.name == "operation"


@pytest.mark.parametrize(
    "name", ["TrainingOperationAdapter", "DummyOperationAdapter", "DataImportOperationAdapter"]
)
def test_an_adapter_is_found_by_its_public_name(name: str) -> None:
    assert issubclass(getattr(operation_adapters, name), OperationAdapter)


def test_the_executor_is_made_of_infrastructure_alone() -> None:
    made = inspect.signature(AsyncOperationExecutor).parameters
    assert list(made)[:4] == ["base_url", "timeout", "poll_interval", "retry"]
    assert (made["timeout"].default, made["poll_interval"].default) == (30.0, 0.3)
    assert {"transport", "display"} <= set(made)
    run = inspect.signature(AsyncOperationExecutor.execute_operation).parameters
    assert list(run)[1:] == ["adapter", "console", "progress_callback", "show_progress"]


def test_progress_is_drawn_by_three_methods() -> None:
    def parameters(method: str) -> list[str]:
        return list(inspect.signature(getattr(EnhancedCLIProgressDisplay, method)).parameters)[1:]

    assert parameters("start_operation")[:3] == ["name", "total_steps", "context"]
    assert parameters("update_progress") == ["state"]
    assert parameters("complete_operation")[:2] == ["success", "summary"]


def test_the_other_public_names_are_there() -> None:
    assert KtrdrApiClient.__name__ == "KtrdrApiClient"
    assert {"operation_id", "percentage", "current_step", "steps_total", "message", "items_processed"} <= set(
        GenericProgressState.__dataclass_fields__
    )
