"""A question to one's own server: a whole answer is read, anything else is for the client to ask again."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ktrdr.client.local_answer import local_answer

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@contextmanager
def answering(path: Path, answer: bytes) -> Iterator[list[bytes]]:
    """Answer one question at a socket; yield what was asked."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def answer_once() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(65536))
                connection.sendall(answer)

        thread = threading.Thread(target=answer_once)
        thread.start()
        yield asked
        thread.join()


def test_a_whole_answer_is_read(tmp_path: Path) -> None:
    with answering(tmp_path / "s", HEAD + b'Content-Length: 11\r\n\r\n{"data": 1}') as asked:
        assert local_answer(tmp_path / "s", "/api/v1/operations?limit=2", 60.0) == {"data": 1}
    assert asked[0].startswith(b"GET /api/v1/operations?limit=2 HTTP/1.1\r\nHost: ktrdr\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense",
        HEAD + b'content-length: 12\r\n\r\n{"data": 1}',
        HEAD + b'transfer-encoding: chunked\r\n\r\n{"data": 1}',
        HEAD + b'content-length: 8\r\n\r\n{"data":',
        HEAD + b"content-length: 2\r\n\r\n[]",
        HEAD + b"content-length: 1\r\n\r\n\xff",
        HEAD.replace(b"200 OK", b"503 Busy") + b"content-length: 2\r\n\r\n{}",
    ],
)
def test_what_is_no_plain_whole_answer_is_none(tmp_path: Path, answer: bytes) -> None:
    with answering(tmp_path / "s", answer):
        assert local_answer(tmp_path / "s", "/", 60.0) is None


def test_where_nobody_listens_there_is_no_answer(tmp_path: Path) -> None:
    assert local_answer(tmp_path / "s", "/", 60.0) is None
