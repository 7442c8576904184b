"""The executor against a server that answers as written down, with real signals."""

import asyncio
import io
import signal
import threading
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from rich.console import Console

from ktrdr.cli.operation_executor import AsyncOperationExecutor, OperationOutcome, Patience
from ktrdr.cli.operation_report import ProgressCallback
from ktrdr.cli.retries import RetryPolicy
from support.scripted_api import (
    CountingAdapter,
    RecordingDisplay,
    ScriptedServer,
    SteppingClock,
    accepted,
    pressing,
    problem,
    shown,
)

AT_ONCE = RetryPolicy(delays=(0.001,))
REFUSED = httpx2.ConnectError("connection refused")
BROKEN = httpx2.ReadError("connection reset")


@dataclass
class Bench:
    """An executor on a scripted server, its screen and its standard output."""

    server: ScriptedServer
    clock: SteppingClock = field(default_factory=SteppingClock)
    patience: Patience = field(default_factory=Patience)
    display: RecordingDisplay = field(default_factory=RecordingDisplay)
    adapter: CountingAdapter = field(default_factory=CountingAdapter)
    out: io.StringIO = field(default_factory=io.StringIO)

    def executor(self) -> AsyncOperationExecutor:
        return AsyncOperationExecutor(
            "http://ktrdr",
            poll_interval=0.001,
            retry=AT_ONCE,
            transport=self.server.transport,
            display=lambda: self.display,
            patience=self.patience,
            clock=self.clock,
        )

    @property
    def console(self) -> Console:
        return Console(file=self.out)

    def run(self, words: ProgressCallback | None = None, **options: Any) -> OperationOutcome:
        work = self.executor().run_operation(self.adapter, self.console, words, **options)
        return asyncio.run(work)

    def follow(self) -> OperationOutcome:
        work = self.executor().follow_operation("op_counting_a", self.adapter, self.console)
        return asyncio.run(work)


def run(server: ScriptedServer, **options: Any) -> tuple[OperationOutcome, Bench]:
    bench = Bench(server, **options)
    return bench.run(), bench


def test_a_completed_operation_is_true_and_its_result_is_on_the_console() -> None:
    bench = Bench(ScriptedServer(read=[shown("pending", 1), shown("running", 2), shown("completed", 3)]))
    assert asyncio.run(bench.executor().execute_operation(bench.adapter, bench.console)) is True
    assert bench.out.getvalue() == "counted to 10\n"


def test_anything_but_completed_is_false() -> None:
    bench = Bench(ScriptedServer(read=[shown("failed", 2)]))
    assert asyncio.run(bench.executor().execute_operation(bench.adapter, bench.console)) is False


def test_the_operation_id_is_minted_from_the_adapters_name_and_is_the_key() -> None:
    outcome, bench = run(ScriptedServer())
    assert bench.server.keys == [outcome.operation_id]
    assert outcome.operation_id.startswith("op_counting_")
    assert bench.server.bodies == [{"to": 10}]


def test_the_first_line_names_the_commands_that_follow_and_cancel() -> None:
    outcome, bench = run(ScriptedServer())
    line = bench.display.lines[0]
    assert line.startswith(outcome.operation_id)
    assert f"ktrdr operations follow {outcome.operation_id}" in line
    assert f"ktrdr operations cancel {outcome.operation_id}" in line


def test_without_words_of_the_domain_status_and_step_are_shown() -> None:
    _, bench = run(ScriptedServer(read=[shown("running", 1), shown("completed", 2)]))
    assert bench.display.states[0].message == "Status: running - Counting"
    assert bench.display.started[0]["elapsed_seconds"] == 2.0


def test_the_domains_words_stand_beside_the_bar() -> None:
    bench = Bench(ScriptedServer())
    bench.run(lambda operation: f"at {operation['progress']['items_processed']}")
    assert bench.display.states[-1].message == "at 5"


def test_no_progress_is_drawn_when_none_is_wanted() -> None:
    bench = Bench(ScriptedServer())
    assert bench.run(show_progress=False).completed
    assert bench.display.started == bench.display.states == []


def test_no_results_are_shown_when_none_are_wanted() -> None:
    bench = Bench(ScriptedServer())
    assert bench.run(show_results=False).final is not None
    assert bench.out.getvalue() == ""


@pytest.mark.parametrize("percentage", [-5, 1000, "much", None])
def test_progress_of_any_shape_does_not_stop_the_following(percentage: object) -> None:
    read = shown("running", 1, progress={"percentage": percentage, "current_step": "x"})
    outcome, bench = run(ScriptedServer(read=[read, shown("completed", 2)]))
    assert outcome.completed
    assert all(0 <= state.percentage <= 100 for state in bench.display.states)


def test_a_failed_operation_shows_its_own_error_and_hint() -> None:
    error = {"detail": "loss became non-finite", "hint": "lower the learning rate"}
    outcome, bench = run(
        ScriptedServer(read=[shown("failed", 2, error=error, error_message=error["detail"])])
    )
    assert outcome.exit_code == 1
    assert "error: counting failed: loss became non-finite" in bench.display.text
    assert "hint: lower the learning rate" in bench.display.text


def test_cancelled_by_somebody_else_is_exit_3_and_says_who() -> None:
    request = {"by": "ana", "reason": "too slow"}
    outcome, bench = run(ScriptedServer(read=[shown("cancelled", 2, cancel_requested=request)]))
    assert (outcome.status, outcome.exit_code) == ("cancelled", 3)
    assert "Cancelled by ana (too slow) after 2.0 s" in bench.display.text
    assert "counted to 5 before" in bench.out.getvalue()


def test_times_that_are_not_times_are_shown_as_none() -> None:
    _, bench = run(ScriptedServer(read=[shown("cancelled", 2, started_at=None, cancel_requested=None)]))
    assert "Cancelled by somebody else (no reason was given) after 0.0 s" in bench.display.text


def test_a_refused_request_is_never_repeated_and_shows_the_servers_words() -> None:
    outcome, bench = run(ScriptedServer(start=[problem(422, "`to` must be positive", "use 1")]))
    assert (outcome.status, outcome.exit_code) == ("not_started", 2)
    assert bench.server.calls == ["start"]
    assert "error: `to` must be positive\nhint: use 1" in bench.display.text


@pytest.mark.parametrize(
    ("status", "code"), [(401, 4), (403, 4), (404, 5), (409, 6), (429, 69), (503, 69), (500, 70)]
)
def test_every_refusal_has_its_exit_code(status: int, code: int) -> None:
    outcome, _ = run(ScriptedServer(start=[problem(status)], read=[problem(404)]))
    assert (outcome.status, outcome.exit_code) == ("not_started", code)


def test_a_start_that_fails_on_the_way_is_repeated_under_one_key() -> None:
    outcome, bench = run(ScriptedServer(start=[problem(500), problem(503), problem(429), accepted()]))
    assert outcome.completed
    assert bench.server.keys == [outcome.operation_id] * 4


def test_fault_23_a_lost_answer_is_asked_for_again_under_one_key() -> None:
    outcome, bench = run(ScriptedServer(start=[BROKEN, accepted()]))
    assert outcome.completed
    assert bench.server.keys == [outcome.operation_id] * 2


def test_an_unreachable_server_is_tried_five_times_and_nothing_was_started() -> None:
    outcome, bench = run(ScriptedServer(start=[REFUSED]))
    assert (outcome.status, outcome.exit_code) == ("not_started", 69)
    assert bench.server.calls == ["start"] * 5
    assert "cannot reach the local server" in bench.display.text
    assert "ktrdr server start" in bench.display.text


@pytest.mark.parametrize("start", [BROKEN, problem(500), (202, {"data": 1})])
def test_fault_28_a_start_without_a_good_answer_that_happened_is_followed(start: Any) -> None:
    outcome, _ = run(ScriptedServer(start=[start], read=[shown("running", 1), shown("completed", 2)]))
    assert outcome.completed


def test_a_start_whose_answer_was_lost_and_is_then_put_off_is_settled_by_its_id() -> None:
    server = ScriptedServer(start=[BROKEN, problem(503)], read=[shown("running", 1), shown("completed", 2)])
    outcome, _ = run(server)
    assert outcome.completed


@pytest.mark.parametrize(("start", "code"), [(BROKEN, 69), (problem(500), 70)])
def test_a_start_without_a_good_answer_that_did_not_happen_is_told(start: Any, code: int) -> None:
    outcome, _ = run(ScriptedServer(start=[start], read=[problem(404)]))
    assert (outcome.status, outcome.exit_code) == ("not_started", code)


def test_a_start_nobody_can_tell_about_is_exit_7_with_the_command_to_go_on() -> None:
    outcome, bench = run(ScriptedServer(start=[BROKEN], read=[REFUSED]))
    assert outcome.exit_code == 7
    assert f"ktrdr operations status {outcome.operation_id}" in bench.display.text


def test_a_blip_in_the_middle_warns_once_and_goes_on() -> None:
    reads = [shown("running", 1), BROKEN, problem(502), REFUSED, shown("running", 2), shown("completed", 3)]
    outcome, bench = run(ScriptedServer(read=reads))
    assert outcome.completed
    assert bench.display.text.count("connection lost") == 1
    assert bench.display.footers[:3] == [f"connection lost, retrying ({n}) ..." for n in (1, 2, 3)]
    assert bench.display.footers[3] == "Ctrl+C cancels the operation"


def test_fault_07_without_contact_for_too_long_the_outcome_is_unknown() -> None:
    outcome, bench = run(ScriptedServer(read=[REFUSED]), patience=Patience(contact=0.5))
    assert (outcome.status, outcome.exit_code) == ("lost", 7)
    assert f"ktrdr operations follow {outcome.operation_id}" in bench.display.text


@pytest.mark.parametrize(("status", "code"), [(404, 5), (401, 4)])
def test_an_operation_that_is_gone_or_forbidden_is_final(status: int, code: int) -> None:
    outcome, _ = run(ScriptedServer(read=[shown("running", 1), problem(status)]))
    assert (outcome.status, outcome.exit_code) == ("lost", code)


def test_results_that_cannot_be_shown_do_not_undo_the_completion() -> None:
    outcome, bench = run(ScriptedServer(read=[shown("completed", 2, result_summary={})]))
    assert outcome.exit_code == 0
    assert "its results cannot be shown" in bench.display.text


def test_ctrl_c_cancels_waits_for_the_end_and_exits_130() -> None:
    server = ScriptedServer(
        read=[pressing(signal.SIGINT, shown("running", 1)), shown("running", 6), shown("cancelled", 7)]
    )
    outcome, bench = run(server)
    assert (outcome.status, outcome.exit_code) == ("cancelled", 130)
    assert server.calls.count("cancel") == 1
    assert server.bodies[-1] == {"reason": "Ctrl+C", "force": False}
    said = bench.display.text
    assert said.index("Cancelling") < said.index("acknowledged") < said.index("Cancelled after")


def test_fault_16_a_cancellation_that_is_not_stored_yet_is_said_once() -> None:
    late = {"warnings": ["not stored yet"]}
    pressed = pressing(signal.SIGINT, shown("running", 1))
    reads = [pressed, shown("running", 6, **late), shown("cancelled", 7, **late)]
    outcome, bench = run(ScriptedServer(read=reads))
    assert (outcome.status, outcome.exit_code) == ("cancelled", 130)
    assert bench.display.text.count("warning: not stored yet") == 1


def test_ctrl_c_is_answered_while_a_status_request_hangs() -> None:
    server = ScriptedServer(
        read=[pressing(signal.SIGINT, None), shown("cancelled", 7)], cancel=[shown("running", 5)]
    )
    outcome, _ = run(server)
    assert outcome.exit_code == 130


def test_fault_41_what_completed_first_is_completed() -> None:
    server = ScriptedServer(
        read=[pressing(signal.SIGINT, shown("running", 1)), shown("completed", 7)],
        cancel=[shown("completed", 7)],
    )
    outcome, bench = run(server)
    assert (outcome.status, outcome.exit_code) == ("completed", 0)
    assert "It completed before it was cancelled" in bench.display.text
    assert bench.out.getvalue() == "counted to 10\n"


def test_a_cancel_that_fails_warns_with_the_command_and_does_not_block() -> None:
    server = ScriptedServer(read=[pressing(signal.SIGINT, shown("running", 1))], cancel=[problem(500)])
    outcome, bench = run(server)
    assert (outcome.status, outcome.exit_code, outcome.reason) == ("left", 7, "unconfirmed")
    assert f"NOT confirmed - run ktrdr operations cancel {outcome.operation_id}" in bench.display.text


def test_fault_26_a_cancel_whose_answer_is_lost_is_sent_again() -> None:
    server = ScriptedServer(
        read=[pressing(signal.SIGINT, shown("running", 1)), shown("cancelled", 7)],
        cancel=[BROKEN, shown("running", 5)],
    )
    outcome, _ = run(server)
    assert outcome.exit_code == 130
    assert server.calls.count("cancel") == 2


def test_a_cancel_that_is_never_answered_is_not_waited_for() -> None:
    server = ScriptedServer(read=[pressing(signal.SIGINT, shown("running", 1))], cancel=[None])
    outcome, _ = run(server, patience=Patience(acknowledgement=0.01))
    assert (outcome.status, outcome.exit_code, outcome.reason) == ("left", 7, "unconfirmed")


def test_an_operation_that_is_gone_when_it_is_cancelled_is_told() -> None:
    server = ScriptedServer(read=[pressing(signal.SIGINT, shown("running", 1))], cancel=[problem(404)])
    outcome, _ = run(server)
    assert (outcome.status, outcome.exit_code) == ("lost", 5)


def test_fault_42_a_second_ctrl_c_leaves_while_the_cancel_is_in_flight() -> None:
    server = ScriptedServer(
        read=[pressing(signal.SIGINT, shown("running", 1))], cancel=[pressing(signal.SIGINT, None)]
    )
    outcome, bench = run(server)
    assert (outcome.status, outcome.exit_code) == ("left", 130)
    assert "NOT confirmed" in bench.display.text


def test_a_second_ctrl_c_leaves_while_it_is_ending() -> None:
    server = ScriptedServer(
        read=[pressing(signal.SIGINT, shown("running", 1)), pressing(signal.SIGINT, shown("running", 6))]
    )
    outcome, bench = run(server)
    assert (outcome.status, outcome.exit_code, outcome.reason) == ("left", 130, "acknowledged")
    assert f"ktrdr operations status {outcome.operation_id}" in bench.display.text


def test_an_acknowledged_cancel_that_never_ends_is_exit_7() -> None:
    server = ScriptedServer(read=[pressing(signal.SIGINT, shown("running", 1)), shown("running", 6)])
    outcome, _ = run(server, patience=Patience(ending=0.0))
    assert (outcome.status, outcome.exit_code) == ("left", 7)


def test_fault_45_sigterm_cancels_and_exits_143() -> None:
    server = ScriptedServer(
        read=[pressing(signal.SIGTERM, shown("running", 1)), shown("cancelled", 7)],
    )
    outcome, _ = run(server)
    assert (outcome.status, outcome.exit_code) == ("cancelled", 143)
    assert server.bodies[-1]["reason"] == "terminated"


def test_sigterm_exits_143_also_when_the_work_does_not_end() -> None:
    server = ScriptedServer(read=[pressing(signal.SIGTERM, shown("running", 1)), shown("running", 2)])
    outcome, _ = run(server, patience=Patience(termination=0.0))
    assert (outcome.status, outcome.exit_code) == ("left", 143)


def test_fault_46_a_hang_up_detaches_and_cancels_nothing() -> None:
    server = ScriptedServer(read=[pressing(signal.SIGHUP, shown("running", 1))])
    outcome, bench = run(server)
    assert (outcome.status, outcome.exit_code) == ("detached", 129)
    assert "cancel" not in server.calls
    assert f"ktrdr operations follow {outcome.operation_id}" in bench.display.text


def test_fault_38_ctrl_c_before_anything_was_sent_creates_nothing() -> None:
    server = ScriptedServer()
    clock = SteppingClock(on_first_look=lambda: signal.raise_signal(signal.SIGINT))
    outcome, _ = run(server, clock=clock)
    assert (outcome.status, outcome.exit_code) == ("not_started", 130)
    assert server.calls == []


def test_fault_39_ctrl_c_while_the_start_is_in_flight_cancels_what_was_started() -> None:
    server = ScriptedServer(start=[pressing(signal.SIGINT, BROKEN), accepted()], read=[shown("cancelled", 7)])
    outcome, _ = run(server, patience=Patience(acknowledgement=1.0))
    assert (outcome.status, outcome.exit_code) == ("cancelled", 130)
    assert "cancel" in server.calls
    assert set(server.keys) == {outcome.operation_id}


def test_ctrl_c_during_a_start_that_is_never_answered_cancels_by_the_same_id() -> None:
    server = ScriptedServer(start=[pressing(signal.SIGINT, None)], read=[shown("cancelled", 7)])
    outcome, _ = run(server, patience=Patience(acknowledgement=0.05))
    assert server.calls == ["start", "cancel", "read"]
    assert outcome.exit_code == 130


def test_ctrl_c_during_a_start_that_may_still_arrive_says_that_nothing_is_confirmed() -> None:
    server = ScriptedServer(start=[pressing(signal.SIGINT, None)], cancel=[problem(404)])
    outcome, bench = run(server, patience=Patience(acknowledgement=0.05))
    assert (outcome.status, outcome.exit_code, outcome.reason) == ("left", 7, "unconfirmed")
    assert "NOT confirmed - run ktrdr operations cancel" in bench.display.text


def test_a_hang_up_during_a_start_that_is_not_answered_promises_nothing() -> None:
    server = ScriptedServer(start=[pressing(signal.SIGHUP, None)])
    outcome, bench = run(server, patience=Patience(acknowledgement=0.05))
    assert (outcome.status, outcome.exit_code, outcome.reason) == ("detached", 129, "unconfirmed")
    assert "Left before the start was answered. It is NOT confirmed" in bench.display.text
    assert "Cancelling" not in bench.display.text
    assert "cancel" not in server.calls


def test_ctrl_c_while_the_server_is_unreachable_leaves_at_once() -> None:
    server = ScriptedServer(start=[REFUSED, pressing(signal.SIGINT, REFUSED), REFUSED])
    outcome, _ = run(server)
    assert (outcome.status, outcome.exit_code) == ("not_started", 130)
    assert "cancel" not in server.calls


def test_ctrl_c_while_results_are_fetched_leaves_with_the_truth() -> None:
    class Endless(CountingAdapter):
        async def display_results(
            self, final_status: dict[str, Any], console: Console, http_client: httpx2.AsyncClient
        ) -> None:
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()

    outcome, _ = run(ScriptedServer(), adapter=Endless())
    assert outcome.exit_code == 0


def test_a_follower_leaves_on_ctrl_c_and_the_work_goes_on() -> None:
    bench = Bench(ScriptedServer(read=[pressing(signal.SIGINT, shown("running", 1))]))
    outcome = bench.follow()
    assert (outcome.status, outcome.exit_code) == ("detached", 130)
    assert bench.server.calls == ["read"]
    assert "ktrdr operations follow op_counting_a" in bench.display.text


def test_following_a_finished_operation_shows_its_result() -> None:
    bench = Bench(ScriptedServer())
    assert bench.follow().exit_code == 0
    assert bench.out.getvalue() == "counted to 10\n"


def test_previous_signal_handlers_are_back_afterwards() -> None:
    def own_handler(*_: object) -> None: ...

    heard = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(each, own_handler) for each in heard]
    try:
        run(ScriptedServer())
        assert [signal.getsignal(each) for each in heard] == [own_handler] * 3
    finally:
        for signum, handler in zip(heard, before, strict=True):
            signal.signal(signum, handler)


def test_an_ignored_hang_up_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        outcome, _ = run(
            ScriptedServer(read=[pressing(signal.SIGHUP, shown("running", 1)), shown("completed", 2)])
        )
        assert outcome.completed
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_off_the_main_thread_it_works_without_handlers() -> None:
    outcomes: list[OperationOutcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(run(ScriptedServer())[0]))
    thread.start()
    thread.join()
    assert [each.exit_code for each in outcomes] == [0]
