"""The worker's end of the channel: says events, hears cancellation, notices that the server is gone."""

import json
import os
import socket
import threading
from typing import Any

from ktrdr.operations.channel import HEADER_SIZE, frame, frame_length
from ktrdr.operations.events import Cancelled, WorkerEvent, event_to_json

PATIENCE = 0.5
PATIENCE_WITHOUT_SERVER = 2.0
CANCELLED_UNNOTICED = 0
SERVER_GONE = 75


class WorkerChannel:
    """Sends events from any thread; a thread of its own listens.

    Work that does not notice cancellation within `PATIENCE` seconds (imports, compilation) is ended by
    the listening thread, which acknowledges and exits the process: files only ever appear whole.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._asked = threading.Event()
        self._noticed = threading.Event()
        self._fence = 0

    def receive(self) -> dict[str, Any]:
        """Return the next message; raises EOFError when the server is gone."""
        document: dict[str, Any] = json.loads(self._read(frame_length(self._read(HEADER_SIZE))))
        return document

    def send(self, event: WorkerEvent) -> None:
        """Say an event; a server that is gone is noticed by the listening thread."""
        message = frame(event_to_json(event))
        with self._sending:
            try:
                self._connection.sendall(message)
            except OSError:
                self._asked.set()

    def listen(self, fence: int) -> None:
        """Start the listening thread."""
        self._fence = fence
        threading.Thread(target=self._listen, name="channel", daemon=True).start()

    def cancelled(self) -> bool:
        """Tell the work whether it should stop, and remember that it was told."""
        asked = self._asked.is_set()
        if asked:
            self._noticed.set()
        return asked

    def finish(self) -> None:
        """Declare that the work has its result: from here on it is not abandoned."""
        self._noticed.set()

    def _listen(self) -> None:
        try:
            self.receive()
        except (EOFError, OSError):
            self._abandon(PATIENCE_WITHOUT_SERVER, None)
        else:
            self._abandon(PATIENCE, Cancelled(self._fence))

    def _abandon(self, patience: float, last_word: Cancelled | None) -> None:
        self._asked.set()
        if self._noticed.wait(patience):
            return
        if last_word is not None:
            self.send(last_word)
        os._exit(SERVER_GONE if last_word is None else CANCELLED_UNNOTICED)

    def _read(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = self._connection.recv(size - len(parts))
            if not part:
                raise EOFError("the server is gone")
            parts += part
        return bytes(parts)
