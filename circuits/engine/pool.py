"""Many jobs at once on one machine. A sweep over several machines goes through Dask instead, one run() a task."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event

from circuits.engine.job import Job
from circuits.engine.result import Result
from circuits.engine.run import run
from circuits.errors import SimulationError

Outcome = Result | SimulationError


def run_many(
    jobs: Iterable[Job],
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    on_start: Callable[[int], None] | None = None,
    live: Callable[[int, float], None] | None = None,
    on_result: Callable[[int, Result], None] | None = None,
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
    """
    jobs = list(jobs)
    stop = Event()
    with ThreadPoolExecutor(max_workers=workers or len(os.sched_getaffinity(0))) as pool:
        futures: list[Future[Outcome]] = [pool.submit(_outcome, job, stop, k, on_start, live) for k, job in enumerate(jobs)]
        left, done = set(futures), 0
        try:
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


def _outcome(job: Job, stop: Event, number: int, on_start: Callable[[int], None] | None,
             live: Callable[[int, float], None] | None) -> Outcome:
    if on_start is not None:
        on_start(number)
    try:
        return run(job, None if live is None else lambda fraction, _: live(number, fraction), stop=stop)
    except SimulationError as failed:
        return failed
