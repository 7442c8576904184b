"""`python -m ktrdr` is the command line."""

from ktrdr.cli.interrupts import let_interrupts_kill
from ktrdr.lazy import resolve


def main() -> None:
    """Run the command line; until an operation listens to signals, Ctrl+C ends it at once and in silence."""
    let_interrupts_kill()
    resolve("ktrdr.cli.app:main")()


if __name__ == "__main__":
    main()
