"""The worker's end of its channel: it hears, it speaks, and it notices that the server is gone."""

import json
import socket
from collections.abc import Iterator

import pytest

from ktrdr.operations.channel import HEADER_SIZE, frame, frame_length
from ktrdr.operations.events import Cancelled, event_from_json
from ktrdr.worker.channel import WorkerChannel


@pytest.fixture
def ends() -> Iterator[tuple[WorkerChannel, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(60)
        yield WorkerChannel(theirs), ours


def heard(connection: socket.socket) -> Cancelled:
    header = connection.recv(HEADER_SIZE, socket.MSG_WAITALL)
    event = event_from_json(connection.recv(frame_length(header), socket.MSG_WAITALL))
    assert isinstance(event, Cancelled)
    return event


def wait_until_asked(channel: WorkerChannel) -> None:
    """Do what work does: ask again and again."""
    while not channel.cancelled():
        pass


def test_a_message_is_received_whole_however_it_is_sliced(ends: tuple[WorkerChannel, socket.socket]) -> None:
    channel, server = ends
    for byte in frame(json.dumps({"fence": 3, "words": "é" * 5}).encode()):
        server.sendall(bytes([byte]))
    assert channel.receive() == {"fence": 3, "words": "é" * 5}


def test_an_event_arrives_as_it_was_said(ends: tuple[WorkerChannel, socket.socket]) -> None:
    channel, server = ends
    channel.send(Cancelled(7))
    assert heard(server) == Cancelled(7)


def test_a_channel_that_ends_in_the_middle_says_so(ends: tuple[WorkerChannel, socket.socket]) -> None:
    channel, server = ends
    server.sendall(frame(b"{}")[:-1])
    server.shutdown(socket.SHUT_WR)
    with pytest.raises(EOFError):
        channel.receive()


def test_work_is_told_of_a_cancellation(ends: tuple[WorkerChannel, socket.socket]) -> None:
    channel, server = ends
    channel.listen(3)
    assert not channel.cancelled()
    server.sendall(frame(b'{"type": "cancel"}'))
    wait_until_asked(channel)


def test_work_is_told_that_the_server_is_gone(ends: tuple[WorkerChannel, socket.socket]) -> None:
    channel, server = ends
    channel.listen(3)
    server.close()
    wait_until_asked(channel)


def test_speaking_to_a_server_that_is_gone_is_a_cancellation(
    ends: tuple[WorkerChannel, socket.socket],
) -> None:
    channel, server = ends
    server.close()
    channel.send(Cancelled(3))
    assert channel.cancelled()
    channel.finish()
