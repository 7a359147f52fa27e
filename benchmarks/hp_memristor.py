"""The HP memristor twin, flat: four decks in parallel, memory, and KLU against ngspice's older solver, Sparse.

    .venv/bin/python benchmarks/hp_memristor.py            # about ten minutes
    .venv/bin/python benchmarks/hp_memristor.py --no-sparse

Seconds are those of this machine, now; the ratio is of two runs of one deck, one after the other.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from pathlib import Path

from circuits.engine.job import Job
from circuits.engine.pool import run_many
from circuits.engine.run import run

DECKS = Path(__file__).parents[1] / "netlists" / "hp_memristor"
STIMULI = ("sine", "triangular", "rectangular", "modulated_sine")


def timed(job: Job) -> float:
    """Seconds of one run of a deck, processor time of the simulator."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    run(job)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2, help="simulations at a time")
    parser.add_argument("--no-sparse", action="store_true", help="leave out the run with Sparse, which is the longest")
    arguments = parser.parse_args()

    started = time.monotonic()
    outcomes = run_many([Job(deck=DECKS / f"{name}.cir") for name in STIMULI], arguments.workers)
    wall = time.monotonic() - started
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    points = ", ".join(f"{name} {len(one.waveforms)} points {one.seconds:.0f} s"
                       for name, one in zip(STIMULI, outcomes, strict=True))
    print(f"four flat decks, {arguments.workers} at a time: {wall:.0f} s (must: 180 s); {points}")
    print(f"largest simulator: {peak:.0f} MB, so {arguments.workers * peak:.0f} MB at a time (must: 2048 MB)")
    if arguments.no_sparse:
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "decks"
        shutil.copytree(DECKS, folder)
        deck = folder / "sine.cir"
        klu = timed(Job(deck=deck))
        deck.write_text(deck.read_text().replace("klu ", "sparse "))
        sparse = timed(Job(deck=deck, timeout=3600))
    print(f"sine, processor time: KLU {klu:.0f} s, Sparse {sparse:.0f} s; Sparse takes {sparse / klu:.1f} times as long")


if __name__ == "__main__":
    main()
