"""A server on this machine whose certificate nobody vouches for."""

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.market_server import MarketServer, market_server

MAKE = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"


@contextmanager
def untrusted_server(folder: Path) -> Iterator[MarketServer]:
    """Serve over TLS until the end of the block, with a certificate made for it."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    name = "subjectAltName=IP:127.0.0.1"
    command = [*MAKE.split(), "-keyout", str(key), "-out", str(certificate), "-addext", name]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with market_server(context) as server:
        yield server
