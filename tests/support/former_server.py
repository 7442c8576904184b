"""What a server of the build before `<state>/server.lock` was to everybody else, as a program.

It held `server.lock` alone in the runtime folder, wrote its pid, start and build beside it, and listened
there. Its argument is how many operations are active; `FORMER_API_VERSION` changes what it says of itself,
and with `FORMER_IS_ENDING` it listens no more.
"""

import fcntl
import json
import os
import signal
import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import psutil

ACTIVE = int(sys.argv[1])
FOLDER = Path(os.environ["XDG_RUNTIME_DIR"]) / "ktrdr"
HEALTH = {
    "api_version": int(os.environ.get("FORMER_API_VERSION", "1")),
    "build": "0.1.0-former",
    "pid": os.getpid(),
    "active_operations": ACTIVE,
}
OPERATION = {
    "operation_id": "op_former-operation_aaaaaaaaaaaa",
    "operation_type": "dummy",
    "status": "running",
    "progress": {"percentage": 10.0},
    "created_at": "2024-01-02T00:00:00Z",
    "server_time": "2024-01-02T00:00:01Z",
    "metadata": {},
}


class Answers(BaseHTTPRequestHandler):
    """Knows its health and its operations."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        is_health = self.path.endswith("/health")
        listed = {"data": [OPERATION] * ACTIVE, "total_count": ACTIVE, "active_count": ACTIVE}
        body = json.dumps({"success": True, "data": HEALTH} if is_health else listed).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep silent."""


def main() -> None:
    """Serve until ended by a signal."""
    FOLDER.mkdir(mode=0o700)
    lock = os.open(FOLDER / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    note = {"pid": os.getpid(), "started_at": psutil.Process().create_time(), "build": HEALTH["build"]}
    (FOLDER / "server.json").write_text(json.dumps(note))
    with socketserver.UnixStreamServer(str(FOLDER / "server.sock"), Answers) as server:
        if "FORMER_IS_ENDING" in os.environ:
            server.socket.close()
        print("ready", flush=True)
        signal.pause() if "FORMER_IS_ENDING" in os.environ else server.serve_forever()


if __name__ == "__main__":
    main()
