"""Without an address, commands speak to the server of this home over its socket."""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from ktrdr.cli.app import main
from ktrdr.cli.session import Surroundings
from ktrdr.client.server_identity import write_identity
from ktrdr.private_directory import private_directory
from ktrdr.settings import Settings


class EmptyList(BaseHTTPRequestHandler):
    """Knows no operations."""

    def do_GET(self) -> None:
        body = json.dumps({"data": [], "total_count": 0, "active_count": 0}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep silent."""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Return a home in which a server listens."""
    found = Settings.load({"KTRDR_HOME": str(tmp_path)})
    private_directory(found.state_dir)
    private_directory(found.runtime_dir)
    write_identity(found, found.socket_path)
    with socketserver.UnixStreamServer(str(found.socket_path), EmptyList) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()
    found.socket_path.unlink()


def test_the_socket_of_the_home_is_used(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["operations", "list", "--output", "json"], Surroundings(settings))
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["total_count"] == 0
