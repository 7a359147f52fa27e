"""Speed and memory of every fidelity: one table, each ratio of two things run in turn, held against what must be reached.

    make speed                                             # all rows, about forty minutes, nearly all of it flat decks
    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.speed --row hp --row lorenz96

A row is stored as soon as it is measured (``runs/speed``), so that an interrupted table goes on where it was; ``--force``
measures again. Exit code 1 when a row misses its must. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import torch

import benchmarks.behavioural
from benchmarks.growth import HIDDEN, exponent, measure
from benchmarks.lorenz96 import lorenz96
from benchmarks.macromodel import COMPARISONS, Comparison
from cosim.console import Console
from cosim.store.files import content_key, is_current, read_frame, write_frame
from cosim.store.sources import source_key

OUT = Path("runs/speed")


def _row(what: str, measured: str, must: str, aim: str, *, holds: bool, where: str = "") -> dict[str, str]:
    return {"what": what, "measured": measured, "must": must, "aim": aim,
            "verdict": "" if not must else "holds" if holds else "MISSED", "where the time goes": where}


def _faster(one: Comparison, must: float, aim: str, apart: float | None = None, *, judged: bool = True) -> dict[str, str]:
    print(one, flush=True)
    holds = not judged or (one.speed >= must and (apart is None or one.apart <= apart))
    told = "" if apart is None else f", {apart:g} of full scale"
    return _row(f"{one.name}, macro against flat", f"{one.speed:.0f} times, {one.apart:.1e} of full scale",
                f"{must:g} times{told}" if judged else "", aim, holds=holds,
                where=f"flat: {one.flat.shares}; macro: {one.macro.shares}")


def _hp() -> Iterator[dict]:
    yield _faster(COMPARISONS["hp"](), 20, "40 times, 1e-6", 1e-5)


def _twelve_tiles() -> Iterator[dict]:
    yield _faster(COMPARISONS["twelve_tiles"](), 50, "100 times")


def _array() -> Iterator[dict]:
    yield _faster(COMPARISONS["array"](), 15, "27 times")
    yield _faster(COMPARISONS["driven_layer"](), 0, "", judged=False)


def _lorenz96() -> Iterator[dict]:
    one = lorenz96()
    print(one, flush=True)
    shares = "; ".join(f"{name}: {phase.shares}" for name, phase in one.phases.items())
    yield _row("Lorenz96 6-64-64-6, macro, 48 time units", f"{one.seconds:.0f} s, {one.memory / 1e9:.2f} GB",
               "300 s, 4 GB", "60 s", holds=one.seconds <= 300 and one.memory <= 4e9, where=shares)


def _growth() -> Iterator[dict]:
    rows = []
    for hidden in HIDDEN:
        rows.append(measure(hidden))
        print(rows[-1], flush=True)
    last = rows[-1]
    memory = max(last.compile_memory, last.point_memory, last.transient_memory)
    grow = ", ".join(f"{name} {exponent(rows, field):.2f}" for name, field in (
        ("compile", "compile_seconds"), ("operating point", "point_seconds"), ("transient", "transient_seconds")))
    where = (f"hidden {last.hidden}, {last.arrays} arrays: compile {last.compile_seconds:.0f} s, operating point "
             f"{last.point_seconds:.0f} s, 0.1 time units {last.transient_seconds:.0f} s ({last.shares}), "
             f"{memory / 1e9:.1f} GB")
    yield _row(f"growth, hidden {', '.join(map(str, HIDDEN))}: exponents over hidden", grow, "24 GB",
               f"transient at {HIDDEN[-1]}", holds=memory <= 24e9, where=where)


def _behavioural() -> Iterator[dict]:
    torch.set_num_threads(1)
    speed = benchmarks.behavioural.batch()
    yield _row("behavioural, 1000 HP twins, against 1000 macro runs", f"{speed:.0f} times", "100 times", "1000 times",
               holds=speed >= 100)
    apart = benchmarks.behavioural.accuracy()
    yield _row("behavioural against flat", ", ".join(f"{name} {value:.1e}" for name, value in apart.items()) + " of full scale",
               "1e-2 of full scale", "1e-3", holds=max(apart.values()) <= 1e-2)


ROWS: dict[str, Callable[[], Iterator[dict]]] = {
    "hp": _hp, "twelve_tiles": _twelve_tiles, "array": _array, "lorenz96": _lorenz96, "growth": _growth,
    "behavioural": _behavioural}


def main() -> None:
    """The table; exit code 1 where a must is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", action="append", choices=ROWS, help="measure this one only; may be given more than once")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder of finished rows (default {OUT})")
    parser.add_argument("--force", action="store_true", help="measure again what is there already")
    asked = parser.parse_args()
    benchmarks = sorted(Path(__file__).parent.glob("*.py"))
    key = content_key([source_key("circuits", "cosim"), *(file.read_bytes() for file in benchmarks)])
    frames = []
    for name in asked.row or ROWS:
        path = asked.out / f"{name}.parquet"
        if asked.force or not is_current(path, key):
            print(f"measuring {name}", flush=True)
            write_frame(path, pd.DataFrame(list(ROWS[name]())), key)
        frames.append(read_frame(path))
    table = pd.concat(frames, ignore_index=True)
    Console().table(table.drop(columns="where the time goes"), "speed and memory")
    for row in table.itertuples(index=False):
        if row[-1]:
            print(f"{row.what}: {row[-1]}")
    sys.exit(1 if (table["verdict"] == "MISSED").any() else 0)


if __name__ == "__main__":
    main()
