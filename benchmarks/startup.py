"""Start of the command line, from a wheel in a fresh virtual environment with compiled modules.

`ktrdr --help` against `python -c "import typer"`, and `ktrdr operations list` with a warm server against
`ktrdr --help`.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.home import temporary_home
from benchmarks.measure import Line, interleaved, print_table, ratios, seconds

ROOT = Path(__file__).parents[1]
RUNS = 20


@contextmanager
def installed_wheel() -> Iterator[Path]:
    """Build the wheel from a copy of the sources, install it, and return the environment's `bin`."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        shutil.copytree(ROOT / "src", folder / "sources/src", ignore=shutil.ignore_patterns("*.egg-info"))
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, folder / "sources")
        _pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", folder / "wheels", folder / "sources")
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        (wheel,) = (folder / "wheels").glob("*.whl")
        binaries = folder / "venv" / "bin"
        _pip(binaries / "python", "install", "--compile", "--constraint", ROOT / "constraints.txt", wheel)
        yield binaries


def _pip(python: str | Path, *arguments: str | Path) -> None:
    command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def lines() -> Iterator[Line]:
    """Measure and yield the lines."""
    with installed_wheel() as binaries, temporary_home(str(binaries / "python")) as home:
        ktrdr = str(binaries / "ktrdr")

        def timed(*command: str) -> Callable[[], float]:
            return partial(seconds, partial(home.run, *command))

        importing = timed(home.python, "-c", "import typer")
        helping, listing = timed(ktrdr, "--help"), timed(ktrdr, "operations", "list")
        typer, shown, listed = interleaved(RUNS, importing, helping, listing)
    yield Line("`ktrdr --help` to `import typer`", ratios(shown, typer), at_most=1.3)
    yield Line("`ktrdr operations list`, server warm, to `ktrdr --help`", ratios(listed, shown))


if __name__ == "__main__":
    print_table("Start", lines())
