"""Threats 6, 7 and 34: a server on a port answers nobody without its token, which stays in its file."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import httpx2 as httpx
import pytest

from ktrdr.cli.access_token import caller_of
from ktrdr.errors import AccessDenied, InputInvalid
from ktrdr.server.access.tokens import kept_token
from ktrdr.settings import Settings
from support.api import running_api

TOKEN = "canary-" + "x" * 36
BY_PORT = "http://127.0.0.1:8000"
WRONG: tuple[list[tuple[str, str]], ...] = (
    [],
    [("Authorization", "")],
    [("Authorization", "Bearer")],
    [("Authorization", "Bearer ")],
    [("Authorization", f"Bearer {TOKEN[:-1]}")],
    [("Authorization", f"Bearer {TOKEN}x")],
    [("Authorization", f"Basic {TOKEN}")],
    [("Authorization", TOKEN)],
    [("Cookie", f"token={TOKEN}")],
    [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer x")],
)
BESIDES = ("/", "/docs", "/redoc", "/openapi.json", "/metrics", "/debug", "/api/v1/nothing")


@pytest.mark.anyio
async def test_sec_34_nothing_is_answered_by_a_port_without_the_token(tmp_path: Path) -> None:
    """No route, no description of them, no metrics, not even that a path is unknown; and no traceback."""
    async with running_api(tmp_path, slots=0, token=TOKEN) as api:
        paths = (await api.http.get("/openapi.json")).json()["paths"]
        asked = [(method, path) for path, methods in paths.items() for method in methods]
        for method, path in [*asked, *(("get", each) for each in BESIDES)]:
            for headers in WRONG:
                url = f"{BY_PORT}{path}?token={TOKEN}"
                answer = await api.http.request(
                    method.upper(), url, headers=headers, content=b"x" * 2_000_000
                )
                assert answer.status_code == 401, (method, path, headers)
                assert answer.headers["www-authenticate"] == "Bearer"
                assert TOKEN not in answer.text
                assert "Traceback" not in answer.text


@pytest.mark.anyio
async def test_sec_06_the_token_opens_the_port_and_the_private_socket_needs_none(tmp_path: Path) -> None:
    async with running_api(tmp_path, slots=0, token=TOKEN) as api:
        shown = {"Authorization": f"Bearer {TOKEN}"}
        assert (await api.http.get(f"{BY_PORT}/api/v1/health", headers=shown)).status_code == 200
        assert (await api.http.get("/api/v1/health")).status_code == 200


def test_sec_07_a_token_has_256_bits_is_private_and_is_kept(tmp_path: Path) -> None:
    mask = os.umask(0)
    token = kept_token(tmp_path / "token")
    os.umask(mask)
    assert len(token) == 43
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert kept_token(tmp_path / "token") == token
    assert kept_token(tmp_path / "another") != token


def _open_to_others(path: Path) -> None:
    path.write_text(TOKEN)
    path.chmod(0o640)


def _link(path: Path) -> None:
    kept_token(path.with_name("real"))
    path.symlink_to("real")


SPOILED: tuple[Callable[[Path], object], ...] = (
    _open_to_others,
    _link,
    os.mkfifo,
    Path.mkdir,
    lambda path: path.touch(0o600),
    lambda path: (path.touch(0o600), path.write_text("short")),
    lambda path: (path.touch(0o600), path.write_text(f"{TOKEN}\n{TOKEN}")),
    lambda path: (path.touch(0o600), path.write_bytes(b"\xff" * 40)),
)


@pytest.mark.parametrize("spoil", SPOILED)
def test_sec_07_a_file_that_is_no_private_token_keeps_the_server_from_starting(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    mask = os.umask(0o077)
    spoil(tmp_path / "token")
    os.umask(mask)
    with pytest.raises(InputInvalid) as refused:
        kept_token(tmp_path / "token")
    assert TOKEN not in refused.value.message
    assert refused.value.hint


def test_sec_07_a_client_reads_the_token_from_either_variable_and_shows_it_nowhere(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    for environment in ({"KTRDR_TOKEN": TOKEN}, {"KTRDR_TOKEN_FILE": str(tmp_path / "token")}):
        settings = Settings.load({"HOME": str(tmp_path), **environment})
        caller = caller_of(settings, by_port=True)
        assert caller.headers == {"Authorization": f"Bearer {TOKEN}"}
        assert TOKEN not in repr(caller) + repr(settings) + repr(httpx.Headers(caller.headers))
        assert caller_of(settings, by_port=False).headers == {}
        assert settings.provider_variables == {}


@pytest.mark.parametrize(
    "environment", [{"KTRDR_TOKEN_FILE": "/nothing"}, {"KTRDR_TOKEN": "two words"}, {"KTRDR_TOKEN": "ü"}]
)
def test_what_is_no_token_is_said_before_anything_is_sent(environment: dict[str, str]) -> None:
    settings = Settings.load({"HOME": "/", **environment})
    with pytest.raises(AccessDenied):
        caller_of(settings, by_port=True)
