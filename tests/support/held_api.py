"""A server on loopback that holds its answer to a start until it is told to give it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANG_GUARD = 60.0


class HeldApi(ThreadingHTTPServer):
    """Counts starts and cancellations by id; every operation it cancels has ended at once."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked_to_start = threading.Event()
        self.may_answer = threading.Event()
        self.started: list[str] = []
        self.cancelled: list[str] = []
        self.order: list[str] = []

    def operation(self, operation_id: str) -> dict[str, object]:
        """Return the operation as it is now."""
        ended = operation_id in self.cancelled
        return {
            "operation_id": operation_id,
            "status": "cancelled" if ended else "running",
            "cursor": "2.1.0" if ended else "1.1.0",
            "progress": {},
            "cancel_requested": {"by": "me", "reason": "Ctrl+C"} if ended else None,
        }


class _Handler(BaseHTTPRequestHandler):
    server: HeldApi

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/start"):
            operation_id = self.headers["Idempotency-Key"]
            self.server.started.append(operation_id)
            self.server.asked_to_start.set()
            self.server.may_answer.wait(HANG_GUARD)
            self.server.order.append("start answered")
        else:
            operation_id = self.path.split("/")[-2]
            self.server.cancelled.append(operation_id)
            self.server.order.append("cancel asked")
        self._answer(202, self.server.operation(operation_id))

    def do_GET(self) -> None:
        operation_id = self.path.split("/")[-1].partition("?")[0]
        self._answer(200, self.server.operation(operation_id))

    def log_message(self, *_: object) -> None:
        """Keep silent."""

    def _answer(self, status: int, data: dict[str, object]) -> None:
        body = json.dumps({"success": True, "data": data}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def held_api() -> Iterator[HeldApi]:
    """Serve until the test is over."""
    with HeldApi() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.may_answer.set()
            server.shutdown()
            thread.join()
