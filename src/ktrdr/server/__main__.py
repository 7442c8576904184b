"""`python -m ktrdr.server`: the API process, on a private socket or a loopback port."""

import argparse
import asyncio
import os
import socket
import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path

from ktrdr.client.start_report import READY, refusal_line
from ktrdr.clock import SystemClock
from ktrdr.disk_space import ROOM_TO_START, room_for
from ktrdr.errors import KtrdrError, StoreDamaged
from ktrdr.kinds.table import load_kinds
from ktrdr.market_data.store import BarStore
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.server.access.tokens import kept_token
from ktrdr.server.app import create_app
from ktrdr.server.connections import raise_descriptor_limit
from ktrdr.server.daemon import (
    IDLE_SECONDS,
    AlreadyRunning,
    bind_loopback,
    serve,
)
from ktrdr.server.engines.local_process import LocalProcessEngine
from ktrdr.server.environment import WorkerEnvironment, worker_variables
from ktrdr.server.residence import Residence
from ktrdr.server.stores.sqlite import SqliteOperationStore
from ktrdr.settings import Settings

DAMAGED = 70
NO_PORT = "end it with `ktrdr server stop`, and start this one again"
DESCRIPTION = """Serve the state folder of this environment in the foreground, until told to stop or idle.
The first command starts such a server by itself; start it by hand to serve a port as well."""
ABOUT_THE_PORT = """Whoever comes by the port has to show a token: `Authorization: Bearer <token>`.
It is made once and kept in the state folder, in the file `token`; the server prints where that is.
Commands read it from there: KTRDR_TOKEN_FILE=<file> ktrdr operations list --url http://127.0.0.1:<port>"""


def main() -> int:
    """Serve until told to stop; 0 also when another server already does, unless a port is asked for."""
    arguments = _parse()
    try:
        _serve(arguments, Settings.load())
    except AlreadyRunning as error:
        if arguments.port is not None:
            return _refuse(AlreadyRunning(error.message, hint=NO_PORT), arguments.ready_fd)
        print(error.message)  # noqa: T201  # the one line a person who starts it by hand sees
        return 0
    except KtrdrError as error:
        return _refuse(error, arguments.ready_fd)
    return 0


def _refuse(error: KtrdrError, ready: int | None) -> int:
    """Say why nothing is served, in the log and to who started this; on a full disk the log takes nothing."""
    _announce(ready, refusal_line(error))
    with suppress(OSError):
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)  # noqa: T201  # its log
    return DAMAGED if isinstance(error, StoreDamaged) else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ktrdr.server",
        description=DESCRIPTION,
        epilog=ABOUT_THE_PORT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=int, help="also listen on this loopback port, for whoever has the token"
    )
    parser.add_argument("--ready-fd", type=int, help="write a line to this descriptor when serving")
    parser.add_argument(
        "--idle-seconds",
        type=float,
        default=IDLE_SECONDS,
        help="end after so many without a request or work (default: %(default)g; 0: never)",
    )
    parser.add_argument("--slots", type=int, help="how many operations run at once (default: cores)")
    return parser.parse_args()


def _serve(arguments: argparse.Namespace, settings: Settings) -> None:
    os.umask(0o077)
    raise_descriptor_limit()
    if arguments.ready_fd is not None:
        os.chdir("/")
    with room_for(settings.state_dir, ROOM_TO_START), Residence(settings) as residence:
        asyncio.run(_work(arguments, settings, residence))


def _work(
    arguments: argparse.Namespace, settings: Settings, residence: Residence
) -> Coroutine[None, None, None]:
    listeners = [residence.listen()]
    token = None
    if arguments.port is not None:
        token = kept_token(settings.kept_token)
        listeners.append(bind_loopback(arguments.port))
        _say_where(listeners[-1], settings.kept_token)
    kinds = load_kinds()
    catalog, bars = ModelCatalog(settings.models_dir), BarStore(settings.data_dir)
    environment = WorkerEnvironment(
        worker_variables(settings),
        settings.provider_variables,
        kinds,
        lambda: {each.series.provider for each in bars.list()},
    )
    engine = LocalProcessEngine(settings.state_dir, environment, arguments.slots)
    store = SqliteOperationStore(settings.database)
    app = create_app(
        store, engine, kinds, catalog=catalog, bars=bars, uploads=settings.uploads_dir, token=token
    )

    async def drain() -> None:
        await app.state.drain()
        residence.leave()

    return serve(
        app,
        listeners,
        SystemClock(),
        ready=lambda: _announce(arguments.ready_fd, READY),
        drain=drain,
        is_busy=lambda: engine.busy,
        idle_seconds=arguments.idle_seconds or None,
        renewed=residence.renewed,
    )


def _say_where(listener: socket.socket, token: Path) -> None:
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    print(f"serving {address} for KTRDR_TOKEN_FILE={token}", file=sys.stderr)  # noqa: T201  # its log


def _announce(ready: int | None, line: bytes) -> None:
    """Tell the command that started this server, if it still waits."""
    if ready is not None:
        with suppress(BrokenPipeError):
            os.write(ready, line)
        os.close(ready)


if __name__ == "__main__":
    sys.exit(main())
