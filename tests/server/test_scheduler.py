from __future__ import annotations

import threading

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import text

from server.scheduler import JOBS, Job, run_once, schedule_jobs
from sync.clock import DAY_MS


def a_job(work):
    return Job("count", work, {"hour": 2}, "%Y-%m-%d")


def the_runs(runtime):
    with runtime.transactions.reading() as connection:
        rows = connection.execute(text("SELECT scheduled_for, result, findings FROM job_run ORDER BY 1"))
        return [tuple(row) for row in rows]


def test_a_job_runs_once_however_many_start_it(any_runtime):
    ran, barrier = [], threading.Barrier(4)

    def work(_runtime):
        ran.append(1)
        return 3

    def start():
        barrier.wait()
        run_once(any_runtime, a_job(work))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ran == [1]
    assert the_runs(any_runtime) == [("2020-05-12", "done", 3)]


def test_a_job_runs_again_in_its_next_period(any_runtime, clock):
    assert run_once(any_runtime, a_job(lambda _runtime: 0))
    assert not run_once(any_runtime, a_job(lambda _runtime: 0))
    clock.advance(ms=DAY_MS)
    assert run_once(any_runtime, a_job(lambda _runtime: 0))
    assert [run[0] for run in the_runs(any_runtime)] == ["2020-05-12", "2020-05-13"]


def test_a_job_that_fails_is_written_down_and_harms_no_other(any_runtime, capfd):
    def work(_runtime):
        raise RuntimeError("0123456789 is a secret")

    assert run_once(any_runtime, a_job(work))
    assert the_runs(any_runtime) == [("2020-05-12", "failed", 0)]
    told = capfd.readouterr()
    assert "0123456789" not in told.out + told.err


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_every_job_of_the_office_runs_over_an_empty_office(sqlite_runtime, job):
    assert run_once(sqlite_runtime, job)
    assert the_runs(sqlite_runtime)[0][1:] == ("done", 0)


def test_every_job_is_scheduled_in_the_offices_time_zone(sqlite_runtime):
    scheduler = schedule_jobs(BackgroundScheduler(), sqlite_runtime)
    scheduler.start(paused=True)
    try:
        assert {job.id for job in scheduler.get_jobs()} == {job.name for job in JOBS}
        assert {str(job.trigger.timezone) for job in scheduler.get_jobs()} == {"Asia/Ho_Chi_Minh"}
    finally:
        scheduler.shutdown()
