"""What users and scripts depend on: every `--help`, and the HTTP API. `make docs` records both."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from ktrdr.cli.app import COMMAND_GROUPS
from ktrdr.cli.error_report import EXIT_CODE_WORDS
from ktrdr.cli.event_lines import SCHEMA
from ktrdr.kinds.table import load_kinds
from ktrdr.lazy import resolve
from ktrdr.market_data.store import BarStore
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.operations.context import OperationContext
from ktrdr.operations.engine import Assignment
from ktrdr.server.app import create_app
from ktrdr.server.engines.inline import InlineEngine
from ktrdr.server.stores.memory import MemoryOperationStore
from ktrdr.strategies.reference.json_schema import strategy_schema
from ktrdr.strategies.reference.pages import indicators_page, strategy_page

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def commands() -> list[tuple[str, ...]]:
    """Return the words of every command and group, the root first."""
    found: list[tuple[str, ...]] = [()]
    for group, target in COMMAND_GROUPS.items():
        registered = resolve(target.target).registered_commands
        names = [each.name or each.callback.__name__.replace("_", "-") for each in registered]
        found += [(group,), *((group, name) for name in names if (group,) != (name,))]
    return found


def help_text() -> str:
    """Return every `--help` at a width of 100 columns."""
    return "\n".join(_help(words) for words in commands())


def _help(words: tuple[str, ...]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ktrdr", *words, "--help"],
        env={"PATH": os.environ["PATH"], "COLUMNS": "100", "NO_COLOR": "1", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return f"$ {' '.join(('ktrdr', *words))} --help\n{done.stdout}"


async def _no_work(_: Assignment, __: OperationContext) -> dict[str, Any]:
    return {}


def api() -> FastAPI:
    """Return the app that is served, over a store and an engine in memory."""
    home = Path(tempfile.gettempdir())
    return create_app(
        MemoryOperationStore(),
        InlineEngine(_no_work, home),
        load_kinds(),
        catalog=ModelCatalog(home),
        bars=BarStore(home),
        uploads=home,
    )


def api_text() -> str:
    """Return the OpenAPI description, without the version of ktrdr."""
    description = api().openapi()
    description["info"]["version"] = ""
    return json.dumps(description, indent=1, sort_keys=True) + "\n"


def schema_text() -> str:
    """Return the schema of every line of `--output ndjson`."""
    return json.dumps(SCHEMA, indent=1) + "\n"


def exit_codes_text() -> str:
    """Return every exit code and what it means."""
    rows = [f"| {code} | {words} |" for code, words in sorted(EXIT_CODE_WORDS.items())]
    return "\n".join(("# Exit codes", "", "| code | meaning |", "|---|---|", *rows, ""))


def strategy_schema_text() -> str:
    """Return the JSON schema of strategy files."""
    return json.dumps(strategy_schema(), indent=1) + "\n"


PAGES = {
    "commands.txt": help_text,
    "http-api.json": api_text,
    "ndjson.schema.json": schema_text,
    "exit-codes.md": exit_codes_text,
    "strategy.md": strategy_page,
    "indicators.md": indicators_page,
    "strategy.schema.json": strategy_schema_text,
}

if __name__ == "__main__":
    for name, text in PAGES.items():
        (REFERENCE / name).write_text(text())
