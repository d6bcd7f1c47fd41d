"""What a process does before it serves: the desk journal's file is brought up to its database.

A database that knows desk records beside a file that is gone was copied by hand, or has lost its
file. What the file alone knew is unknown then, above all which numbers installations were given.
"""

from __future__ import annotations

from server.audit.changes import run_change
from server.audit.desk_journal import desk_head, mirror_desk_journal
from server.devices.readmission import leave_numbers_out
from server.recovery.replay import RECOVERY_ACTOR
from server.runtime import Runtime


def catch_up_desk_journal(runtime: Runtime) -> None:
    """Append to the file what it lacks; where it is gone, leave out the numbers that it may have known.

    Raises what `mirror_desk_journal` raises.
    """
    path = runtime.transactions.desk_journal
    if path is not None and not path.exists() and _is_known(runtime):
        run_change(
            runtime.transactions,
            RECOVERY_ACTOR,
            runtime.clock.now_ms(),
            leave_numbers_out,
        )
    mirror_desk_journal(runtime.transactions)


def _is_known(runtime: Runtime) -> bool:
    with runtime.transactions.reading() as connection:
        return desk_head(connection)[0] > 0
