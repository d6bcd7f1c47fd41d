"""Scheduled work over plans: on its first day, a plan reaches the tablets."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from operator import itemgetter

from server.audit.changes import Actor, run_change
from server.bulk_rows import chunks
from server.quotas.actions import mark_plan_shown, show_figures
from server.quotas.plans import figures_asked, plans_not_shown
from server.runtime import Runtime

_ACTOR = Actor("job:show_plans")
# Jobs stamp few scopes a transaction, so that no tablet waits long behind them.
_AGENTS_A_CHANGE = 50


def show_plans(runtime: Runtime) -> int:
    """Let tablets show every plan that has come into force since; return how many plans.

    The mark is set last: broken off in between, the whole is done again, and stays the same.
    """
    now_ms = runtime.clock.now_ms()
    with runtime.transactions.reading() as connection:
        plans = plans_not_shown(connection, now_ms)
        asked = {campaign: figures_asked(connection, campaign) for campaign in sorted(set(plans.values()))}
    for campaign, figures in asked.items():
        by_agent = groupby(sorted(figures, key=itemgetter(3)), key=itemgetter(3))
        for part in chunks((list(of_agent) for _agent, of_agent in by_agent), _AGENTS_A_CHANGE):
            keys = [key for of_agent in part for key in of_agent]
            showing = partial(show_figures, campaign=campaign, figures=keys)
            run_change(runtime.transactions, _ACTOR, now_ms, showing)
    for plan_id in plans:
        run_change(runtime.transactions, _ACTOR, now_ms, partial(mark_plan_shown, plan_id=plan_id))
    return len(plans)
