"""What time does to imports: one that was cut off goes on, one that nobody applies is forgotten."""

from __future__ import annotations

from server.audit.changes import Actor, Change, run_change
from server.imports.applying import continue_import, drop_waiting_rows
from server.imports.kept import APPLYING, CHECKED, EXPIRED, STAGING, runs_in, set_run
from server.runtime import Runtime
from sync.clock import DAY_MS

_ACTOR = Actor("job:imports")
# A minute without an end: the process that applied it is gone, or slow; going on is safe beside it.
_LEFT_AFTER_MS = 60_000
# Rows with personal data wait no longer than this for somebody to apply them.
KEPT_MS = 7 * DAY_MS


def continue_cut_off_imports(runtime: Runtime) -> int:
    """Go on with imports whose process ended; return how many came to their end."""
    now_ms = runtime.clock.now_ms()
    with runtime.transactions.reading() as connection:
        left = runs_in(connection, [APPLYING], now_ms - _LEFT_AFTER_MS)
    for run in left:
        continue_import(runtime, run, Actor(run.actor, run.worker_id))
    return len(left)


def forget_waiting_imports(runtime: Runtime) -> int:
    """Drop the rows of imports that nobody applied within seven days; return of how many imports."""
    now_ms = runtime.clock.now_ms()
    with runtime.transactions.reading() as connection:
        old = runs_in(connection, [STAGING, CHECKED], now_ms - KEPT_MS)
    for run in old:

        def work(change: Change, import_id: str = run.id) -> None:
            set_run(change, import_id, state=EXPIRED)
            change.audit("import_expired", import_id)

        run_change(runtime.transactions, _ACTOR, now_ms, work)
        drop_waiting_rows(runtime, _ACTOR, run.id)
    return len(old)
