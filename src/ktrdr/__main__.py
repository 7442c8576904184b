"""`python -m ktrdr` is the command line.

Everything it needs takes time to import, and Ctrl+C may come meanwhile: it ends the process as always, by the
signal, and without a word. So that is said first, and nothing is imported before it. Nor is anything on a
system that has not what the server is made of: much of it could not even be imported there.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_usual = sys.excepthook


def _say_nothing_of_interrupts(
    kind: type[BaseException], error: BaseException, traceback: "TracebackType | None"
) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        _usual(kind, error, traceback)


sys.excepthook = _say_nothing_of_interrupts

NOT_LINUX = 69  # nothing was started, as where a server cannot be reached
if sys.platform != "linux":
    sys.stderr.write("error: ktrdr needs Linux (its server asks the kernel by /proc and SO_PEERCRED)\n")
    sys.stderr.write("hint: on Windows, WSL is one\n")
    sys.exit(NOT_LINUX)

from ktrdr.cli.process.entry import main  # noqa: E402  # after the hook, as told above

__all__ = ["main"]

if __name__ == "__main__":
    main()
