"""Everything that is said about one operation, and the outcome each ending amounts to."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console

from ktrdr.cli.display import ProgressDisplay
from ktrdr.cli.error_report import ExitCode, describe, error_text, exit_code
from ktrdr.cli.event_lines import EventLines
from ktrdr.cli.operation_adapters.base import OperationAdapter
from ktrdr.cli.operation_facts import elapsed_seconds, first_estimate, status_of
from ktrdr.cli.operation_outcome import UNCONFIRMED, OperationOutcome
from ktrdr.cli.printed_commands import operations_command
from ktrdr.cli.progress_words import duration
from ktrdr.cli.worker_logs import log_text
from ktrdr.errors import ContactLost, KtrdrError
from ktrdr.operations.progress import GenericProgressState

ProgressCallback = Callable[[dict[str, Any]], str]

MINUTE = 60.0
MISFITS = (LookupError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of an operation, in whose words, and where its results go."""

    adapter: OperationAdapter
    console: Console
    words: ProgressCallback | None = None
    show_progress: bool = True
    show_results: bool = True
    show_logs: bool = False

    def progress(self, operation: dict[str, Any]) -> GenericProgressState:
        """Return progress that can be drawn; raises one of MISFITS for a shape that cannot."""
        state = self.adapter.adapt_progress(operation)
        plain = f"Status: {status_of(operation)} - {state.current_step}"
        message = self.words(operation) if self.words else plain
        left = state.estimated_remaining_seconds
        return replace(
            state,
            percentage=min(max(0.0, float(state.percentage)), 100.0),
            message=message,
            estimated_remaining_seconds=first_estimate(operation) if left is None else left,
        )


class OperationReport:
    """Says on one display what happens to one operation."""

    def __init__(
        self,
        operation_id: str,
        view: View,
        display: ProgressDisplay,
        lines: EventLines,
        *,
        footer: str,
        server: str,
    ) -> None:
        self._id = operation_id
        self._view = view
        self._display = display
        self._footer = footer
        self._server = server
        self._drawing = False
        self._cancelling = False
        self._warned: set[str] = set()
        self._figures: dict[str, Any] = {}
        self._noted: dict[str, Any] = {}
        self._lines = lines
        lines.operation_id, lines.kind = operation_id, view.adapter.name

    def accepted(self) -> None:
        """Say the id, and the commands that follow and cancel it."""
        commands = {verb: self._command(verb) for verb in ("follow", "cancel")}
        self._display.say("  ".join((self._id, *(f"{verb}: {words}" for verb, words in commands.items()))))
        self._lines.write("accepted", commands)

    def progress(self, operation: dict[str, Any]) -> None:
        """Draw the newest progress."""
        self._note(operation)
        if not self._view.show_progress:
            return
        if not self._drawing:
            self._drawing = True
            context = {"elapsed_seconds": elapsed_seconds(operation), "footer": self._footer}
            self._display.start_operation(self._view.adapter.name, 0, context)
        with suppress(*MISFITS):
            self._display.update_progress(self._view.progress(operation))

    def contact(self, failures: int) -> None:
        """Say once that contact is lost, and keep the count below the bar; 0 means that it is back."""
        lost = f"connection lost, retrying ({failures}) ..."
        self._display.show_footer(lost if failures else self._footer)
        self._lines.write("connection", {"connected": not failures, "failures": failures})
        if failures == 1:
            self._display.say("warning: connection lost, retrying; the work goes on")

    def log(self, line: dict[str, Any]) -> None:
        """Write what the worker logged."""
        self._display.say(log_text(line))
        self._lines.write("log", line)

    def cancelling(self) -> None:
        """Say, once, that cancellation was asked for."""
        if not self._cancelling:
            self._cancelling = True
            self._footer = "Ctrl+C again leaves without waiting"
            self._display.show_footer(self._footer)
            self._display.say(f"Cancelling {self._id} - press Ctrl+C again to leave without waiting")
            self._lines.write("cancel", {"stage": "requested"})

    def acknowledged(self) -> None:
        """Say that the server knows."""
        self._display.say("cancellation sent and acknowledged")
        self._lines.write("cancel", {"stage": "acknowledged"})

    def warning(self, text: str) -> None:
        """Say what went wrong without ending anything."""
        self._display.say(f"warning: {text}")

    def completed(self, final: dict[str, Any], *, asked_to_stop: bool) -> OperationOutcome:
        """Stop drawing: the result is there."""
        self._note(final)
        self._lines.write("result", dict(final.get("result_summary") or {}), seq=_seq(final))
        self._display.complete_operation(
            True, "It completed before it was cancelled" if asked_to_stop else ""
        )
        return OperationOutcome(status_of(final), ExitCode.COMPLETED, self._id, final=final)

    def results_not_shown(self, error: Exception) -> None:
        """Say that the result is there but cannot be shown."""
        self.warning(
            f"it completed, but its results cannot be shown ({type(error).__name__}: {error})\n"
            f"hint: see {self._command('status', '--output', 'json')}"
        )

    def failed(self, final: dict[str, Any]) -> OperationOutcome:
        """Say why it failed."""
        error = final.get("error") if isinstance(final.get("error"), dict) else None
        reason = str(final.get("error_message") or "no reason was given")
        hint = error.get("hint") if error else None
        self._note(final)
        self._lines.error(reason, hint)
        self._display.complete_operation(False, error_text(f"{self._kind(final)} failed: {reason}", hint))
        return OperationOutcome(status_of(final), ExitCode.FAILED, self._id, reason, final)

    def cancelled(self, final: dict[str, Any], signal_exit: int | None) -> OperationOutcome:
        """Say who cancelled it; `signal_exit` is the exit code when it was the signal heard here."""
        asked = final.get("cancel_requested")
        request = asked if isinstance(asked, dict) else {}
        reason = str(request.get("reason") or "no reason was given")
        who = "" if signal_exit else f" by {request.get('by') or 'somebody else'} ({reason})"
        self._note(final)
        seconds = elapsed_seconds(final)
        spent = f"{seconds:.1f} s" if seconds < MINUTE else duration(seconds)
        self._display.complete_operation(False, f"Cancelled{who} after {spent}")
        code = signal_exit or ExitCode.CANCELLED_BY_OTHERS
        return OperationOutcome(status_of(final), code, self._id, reason, final)

    def not_started(self, code: int) -> OperationOutcome:
        """Say that nothing exists."""
        self._display.complete_operation(False, "Interrupted; nothing was started")
        return OperationOutcome("not_started", code, self._id, "interrupted")

    def left_to_run(self) -> OperationOutcome:
        """Say nothing more: it was started, and that is all that was wanted."""
        return OperationOutcome("detached", ExitCode.COMPLETED, self._id, "detached")

    def detached(self, code: int, last: dict[str, Any] | None, *, confirmed: bool) -> OperationOutcome:
        """Say that the work goes on, and how to follow it again; or that its start is not confirmed."""
        goes_on = f"No longer followed, the work goes on. Follow again: {self._command('follow')}"
        unknown = f"Left before the start was answered. It is NOT confirmed - see {self._command('status')}"
        self._display.complete_operation(False, goes_on if confirmed else unknown)
        return OperationOutcome("detached", code, self._id, "detached" if confirmed else UNCONFIRMED, last)

    def left(self, code: int, last: dict[str, Any] | None, *, acknowledged: bool) -> OperationOutcome:
        """Say whether the server knows of the cancellation, and the command that finishes the job."""
        known = f"The server acknowledged it; check with: {self._command('status')}"
        unknown = f"It is NOT confirmed - run {self._command('cancel')}"
        text = f"Left while cancelling. {known if acknowledged else unknown}"
        self._display.complete_operation(False, text)
        return OperationOutcome("left", code, self._id, "acknowledged" if acknowledged else UNCONFIRMED, last)

    def error(self, error: KtrdrError, *, accepted: bool) -> OperationOutcome:
        """Say what went wrong on the way to the server."""
        self._display.complete_operation(False, describe(error))
        self._lines.error(error.message, error.hint)
        return OperationOutcome(
            "lost" if accepted or isinstance(error, ContactLost) else "not_started",
            exit_code(error),
            self._id,
            error.message,
            error=error,
        )

    def _note(self, operation: dict[str, Any]) -> None:
        """Write what is new in an operation: its warnings, its state, its progress, the domain's figures."""
        self._warn(operation)
        status, seq = status_of(operation), _seq(operation)
        if status != self._lines.status:
            self._lines.status = status
            self._lines.write("state", {"cursor": operation.get("cursor")}, seq=seq)
        if isinstance(progress := operation.get("progress"), dict):
            shown = {name: value for name, value in progress.items() if name != "context"}
            if shown != self._noted:
                self._noted = shown
                self._lines.write("progress", shown, seq=seq)
        figures = self._view.adapter.adapt_metrics(operation)
        if figures and figures != self._figures:
            self._figures = figures
            self._lines.write("metric", figures, seq=seq)

    def _warn(self, operation: dict[str, Any]) -> None:
        """Say, once each, what the server warns of: that what it tells is not stored yet."""
        found = operation.get("warnings")
        for words in map(str, found if isinstance(found, list) else ()):
            if words not in self._warned:
                self._warned.add(words)
                self.warning(words)

    def _command(self, verb: str, *options: str) -> str:
        return operations_command(verb, self._id, self._server, *options)

    def _kind(self, final: dict[str, Any]) -> str:
        return str(final.get("operation_type") or self._view.adapter.name)


def _seq(operation: dict[str, Any]) -> int | None:
    """Return the number of the worker's report; None while there is no worker."""
    seq = (operation.get("progress") or {}).get("seq")
    return seq if isinstance(seq, int) and operation.get("attempt") else None
