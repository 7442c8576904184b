"""`python -m ktrdr.worker FD`: one operation in, events out, on a private channel."""

import os
import socket
import sys

from ktrdr.settings import Settings
from ktrdr.worker.channel import WorkerChannel
from ktrdr.worker.folders import Folders
from ktrdr.worker.log_lines import keep_log
from ktrdr.worker.privileges import keep_to_own_rights
from ktrdr.worker.runner import run


def main() -> None:
    """Serve the one assignment that comes over the channel, and exit without lingering."""
    settings = Settings.load()
    os.umask(0o077)
    keep_to_own_rights()
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)  # whatever the work starts would keep it open
    channel = WorkerChannel(connection)
    assignment = channel.receive()
    keep_log(assignment["traceparent"])
    channel.listen(int(assignment["fence"]))
    folders = Folders(
        settings.data_dir, settings.models_dir, settings.uploads_dir, settings.provider_variables
    )
    channel.send(run(assignment, channel, folders))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
