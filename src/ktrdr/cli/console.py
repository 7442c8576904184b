"""Where results and talk are written."""

from rich.console import Console


class PlainSpokenConsole(Console):
    """A console that tells its caller when its reader is gone, instead of ending the process."""

    def on_broken_pipe(self) -> None:
        """Raise the BrokenPipeError that is being handled."""
        raise  # noqa: PLE0704  # Rich calls this from its handler
