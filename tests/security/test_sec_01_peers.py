"""Rows 1 and 3: the kernel says who is at the other end, and a stranger is neither heard nor spoken to."""

import asyncio
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from ktrdr.cli.api_client import LOCAL_URL
from ktrdr.client.local_socket import connect, is_listening
from ktrdr.client.local_transport import LocalSocketTransport
from ktrdr.errors import AccessDenied
from ktrdr.peer_credentials import Peer, peer_of
from ktrdr.server.daemon import bind_socket

STRANGER = os.getuid() + 1


@pytest.fixture
def path() -> Iterator[Path]:
    """Return where a socket may be: its path is short enough."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "s"


def test_sec_01_the_kernel_names_the_user_at_the_other_end() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_of(ours) == peer_of(theirs) == Peer(os.getpid(), os.getuid())


def test_sec_01_a_server_hangs_up_on_another_user_before_it_reads(path: Path) -> None:
    """And goes on to hear its own."""
    with bind_socket(path, STRANGER) as listener, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"POST /api/v1/dummy/start HTTP/1.1\r\n")
        with pytest.raises(ConnectionAbortedError):
            listener.accept()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with bind_socket(path) as listener, connect(path):
        connection, _ = listener.accept()
        connection.close()


def test_sec_03_a_command_takes_nobody_elses_server_for_its_own(path: Path) -> None:
    with bind_socket(path):
        with pytest.raises(AccessDenied, match="belongs to another user"):
            connect(path, user=STRANGER)
        assert is_listening(path)


def test_sec_03_a_command_takes_no_other_process_for_the_one_that_wrote_itself_down(path: Path) -> None:
    with bind_socket(path):
        assert is_listening(path, os.getpid())
        assert not is_listening(path, os.getppid())


def test_sec_03_nothing_is_sent_to_a_server_of_another_user(path: Path) -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    async def restart() -> Path:
        raise AssertionError("a stranger's server is no reason to start one")

    async def scenario() -> None:
        server = await asyncio.start_unix_server(listen, path)
        async with httpx2.AsyncClient(
            base_url=LOCAL_URL, transport=LocalSocketTransport(path, restart, STRANGER)
        ) as client:
            with pytest.raises(AccessDenied, match="belongs to another user"):
                await client.post("/api/v1/dummy/start", json={"secret": 1})
        server.close()
        await server.wait_closed()

    asyncio.run(scenario())
    assert b"".join(heard) == b""
