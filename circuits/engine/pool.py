"""Many jobs at once on one machine. A sweep over several machines goes through Dask instead, one run() a task."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Protocol

from circuits.engine.job import Job
from circuits.engine.result import Result
from circuits.engine.run import Progress, run
from circuits.errors import SimulationError

Outcome = Result | SimulationError


class Runner(Protocol):
    """Runs one job, as :func:`circuits.engine.run.run` does."""

    def __call__(self, job: Job, progress: Progress | None = None, *, stop: Event | None = None) -> Result: ...


def run_many(
    jobs: Iterable[Job],
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    on_start: Callable[[int], None] | None = None,
    live: Callable[[int, float], None] | None = None,
    on_result: Callable[[int, Result], None] | None = None,
    runner: Runner = run,
) -> list[Outcome]:
    """Run jobs in parallel; an outcome a job, in the jobs' order.

    A failed simulation is returned, not raised, so that it does not lose the others. Ctrl-C, or any other error, ends
    every child and is raised.

    Args:
        workers: processes at once; None: one a processor that this process may use.
        progress: called with (jobs done, jobs) after each, in this thread.
        on_start: called with the job's number when its turn comes, in the job's thread.
        live: called with (job's number, fraction of its transient), in the job's thread.
        on_result: called with (job's number, result) as soon as a job is done, in this thread, so that it can be kept.
        runner: what runs one job; ngspice's, or another engine's.
    """
    jobs = list(jobs)
    stop = Event()
    with ThreadPoolExecutor(max_workers=workers or len(os.sched_getaffinity(0))) as pool:
        futures: list[Future[Outcome]] = []
        done = 0
        try:  # from the first job on: whatever ends this thread ends the jobs that were handed out
            for number, job in enumerate(jobs):
                futures.append(pool.submit(_outcome, runner, job, stop, number, on_start, live))
            left = set(futures)
            while left:
                ended, left = wait(left, return_when=FIRST_COMPLETED)
                for future in ended:
                    outcome = future.result()  # raises what is not a failed simulation
                    if on_result is not None and isinstance(outcome, Result):
                        on_result(futures.index(future), outcome)
                    done += 1
                    if progress is not None:
                        progress(done, len(jobs))
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _outcome(runner: Runner, job: Job, stop: Event, number: int, on_start: Callable[[int], None] | None,
             live: Callable[[int, float], None] | None) -> Outcome:
    if on_start is not None:
        on_start(number)
    try:
        return runner(job, None if live is None else lambda fraction, _: live(number, fraction), stop=stop)
    except SimulationError as failed:
        return failed
