"""`ktrdr models`: train a strategy, list and show what was trained."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ktrdr.cli.commands.models_look import list_models, show
from ktrdr.cli.operation_adapters.training import TrainingOperationAdapter
from ktrdr.cli.operation_command import OpenSession, operation_command
from ktrdr.cli.session import message_of
from ktrdr.cli.strategy_text import read_strategy
from ktrdr.errors import InputInvalid
from ktrdr.invalid_fields import check
from ktrdr.kinds.training import TrainingRequest
from ktrdr.strategies.strategy_file import parse_strategy

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Train models and look at them.")
DAY = ["%Y-%m-%d"]


class Device(StrEnum):
    """Where a network is trained."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


@app.command()
@operation_command()
def train(
    opened: OpenSession,
    file: Annotated[Path, typer.Argument(help="The strategy file.")],
    symbol: Annotated[str | None, typer.Argument(help="A symbol instead of the file's.")] = None,
    timeframe: Annotated[str | None, typer.Argument(help="A timeframe instead of the file's.")] = None,
    *,
    symbols: Annotated[str | None, typer.Option(help="Symbols instead of the file's, by commas.")] = None,
    timeframes: Annotated[str | None, typer.Option(help="A timeframe instead of the file's.")] = None,
    start_date: Annotated[datetime | None, typer.Option(formats=DAY, help="First day.")] = None,
    end_date: Annotated[datetime | None, typer.Option(formats=DAY, help="Last day, included.")] = None,
    provider: Annotated[
        str | None, typer.Option(help="Where bars come from that are not there yet, as data load knows it.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**31 - 1, help="Seed of everything random.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, max=100_000, help="Most epochs.")] = None,
    device: Annotated[Device, typer.Option(help="Where to train.")] = Device.AUTO,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be trained on.")] = False,
    detailed_analytics: Annotated[
        bool, typer.Option("--detailed-analytics", help="Keep gradient norms and curves per class.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show precision and recall per class.")] = False,
) -> None:
    """Train a strategy's model and judge it beside its baselines."""
    text = read_strategy(file)
    parse_strategy(text, str(file))
    adapter = TrainingOperationAdapter(
        strategy_name=file.name,
        symbols=_one_of("symbol", symbol, symbols),
        timeframes=_one_of("timeframe", timeframe, timeframes),
        start_date=_day(start_date),
        end_date=_day(end_date),
        strategy=text,
        options={
            "provider": provider,
            "seed": seed,
            "epochs": epochs,
            "device": device.value,
            "dry_run": dry_run,
            "detailed_analytics": detailed_analytics,
        },
        verbose=verbose,
    )
    check(TrainingRequest, adapter.get_start_payload())
    opened().run(adapter, message_of)


app.command("list")(list_models)
app.command()(show)


def _one_of(name: str, argument: str | None, option: str | None) -> tuple[str, ...]:
    if argument and option:
        raise InputInvalid(f"the {name} is given twice: `{argument}` and --{name}s `{option}`")
    given = argument or option
    if given is None:
        return ()
    parts = tuple(each.strip() for each in given.split(","))
    if not all(parts):
        raise InputInvalid(f"`{given}` names no {name}", hint=f"write {name}s by commas, or leave it out")
    return parts


def _day(moment: datetime | None) -> str | None:
    return moment.date().isoformat() if moment else None
