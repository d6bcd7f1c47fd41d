"""Starts tablets for the demo in processes of their own, in a few milliseconds each: by forking.

`python -m field_client.demo_nursery` imports the client once. Each request on its standard input, a
Unix socket, brings an end of another one, on which the new tablet hears commands and answers. A
tablet ends when that one does, and the nursery when its own does.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from field_client import fund_agent
from field_client.client import CLOCK_VARIABLE

_LONGEST = 4096


def main() -> None:
    """Fork a tablet for each request until there are no more."""
    # Nobody waits for them: whoever led one has heard the end of its answers.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=os.dup(0)) as requests:
        while True:
            message, ends, _, _ = socket.recv_fds(requests, _LONGEST, 1)
            if not message:
                return
            if os.fork() == 0:
                requests.close()
                _be_tablet(json.loads(message), ends[0])
            os.close(ends[0])
            requests.sendall(b"+")


def _be_tablet(request: dict[str, Any], end: int) -> None:
    """Be a tablet from here on; never returns."""
    status = 1
    try:
        os.dup2(end, 0)
        os.dup2(end, 1)
        os.close(end)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for the rest of the process
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        os.environ[CLOCK_VARIABLE] = request["clock"]
        fund_agent.main(Path(request["home"]))
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
