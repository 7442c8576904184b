"""Commands that are printed to be copied: whole, also where the server is not one's own."""

import shlex

from ktrdr.cli.api_client import LOCAL_URL


def operations_command(verb: str, operation_id: str, server: str, *options: str) -> str:
    """Return `ktrdr operations follow ID`, with `--url` unless the server is the embedded one."""
    address = () if server == LOCAL_URL else ("--url", server)
    return shlex.join(("ktrdr", "operations", verb, operation_id, *options, *address))
