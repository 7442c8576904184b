"""Start of the command line, from a wheel in a fresh virtual environment with compiled modules.

`ktrdr --help` against `python -c "import typer"`, and `ktrdr operations list` with a warm server against
`ktrdr --help`.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.home import temporary_home
from benchmarks.measure import Line, interleaved, ratios, run, seconds

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Size:
    """How often each command is run, and whether from a wheel that is built and installed for it."""

    runs: int
    from_wheel: bool


FULL, SMALL = Size(20, True), Size(1, False)


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


def installation(size: Size) -> AbstractContextManager[Path]:
    """Return the `bin` of a fresh environment, or of the present one."""
    return installed_wheel() if size.from_wheel else nullcontext(Path(sys.executable).parent)


def lines(size: Size) -> Iterator[Line]:
    """Measure and yield the lines."""
    with installation(size) as binaries, temporary_home(str(binaries / "python")) as home:
        ktrdr = str(binaries / "ktrdr")

        def timed(*command: str) -> Callable[[], float]:
            return partial(seconds, partial(home.run, *command))

        importing = timed(home.python, "-c", "import typer")
        helping, listing = timed(ktrdr, "--help"), timed(ktrdr, "operations", "list")
        typer, shown, listed = interleaved(size.runs, importing, helping, listing)
    yield Line("`ktrdr --help` to `import typer`", ratios(shown, typer), at_most=1.3)
    yield Line("`ktrdr operations list`, server warm, to `ktrdr --help`", ratios(listed, shown), at_most=2.5)


if __name__ == "__main__":
    run("Start", lines, full=FULL, small=SMALL)
