"""Every benchmark in one table against its aims; all of them at full size are kept in `benchmarks/results/`.

Each one is a process of its own: its environment is its own, and one that fails is told in its place and does
not hide the others. Ends with 1 if one failed; an aim that is missed is said, and is no failure.
"""

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measure import HEADINGS, Line

BENCHMARKS = (
    "startup",
    "endings",
    "followers",
    "features",
    "durable_starts",
    "training_throughput",
    "imports",
    "bar_reads",
)
ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"


def measured(name: str, *, small: bool) -> Iterator[dict[str, Any]]:
    """Run one benchmark and yield its lines as they come; the last is an `error` if it failed."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", *(["--small"] if small else [])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for text in process.stdout:
            yield {"benchmark": name, **json.loads(text)}
    if process.returncode:
        yield {"benchmark": name, "error": f"ended with {process.returncode}"}


def shown(row: Mapping[str, Any]) -> str:
    """Return a row as it stands in the table."""
    if "error" in row:
        return f"{row['benchmark']}: {row['error']}"
    return str(Line.from_json(row))


def run_all(names: Sequence[str], *, small: bool) -> list[dict[str, Any]]:
    """Run the benchmarks one after the other, print every row as it comes, and return all rows."""
    rows = []
    print(HEADINGS, flush=True)
    for name in names:
        for row in measured(name, small=small):
            print(shown(row), flush=True)
            rows.append(row)
    return rows


def keep(rows: Sequence[Mapping[str, Any]], now: datetime) -> Path:
    """Write the rows beside what machine gave them, and return the file."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{now.date().isoformat()}.json"
    machine = {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
    }
    file.write_text(json.dumps({"measured_at": now.isoformat(), **machine, "rows": rows}, indent=1) + "\n")
    return file


def main() -> int:
    """Print the table and return the exit code."""
    parser = argparse.ArgumentParser(description="Every benchmark in one table.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; else all")
    parser.add_argument("--small", action="store_true", help="smallest sizes, to see that all run")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.names) - set(BENCHMARKS)):
        parser.error(f"there is no benchmark {', '.join(unknown)}")
    rows = run_all(asked.names or BENCHMARKS, small=asked.small)
    missed = sum(row.get("is_met") is False for row in rows)
    failed = sum("error" in row for row in rows)
    print(f"\n{len(rows) - failed} rows, {missed} missed, {failed} failed")
    if not asked.small and not asked.names:
        print(f"kept in {keep(rows, datetime.now(UTC)).relative_to(ROOT)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
