"""Speed and memory of every fidelity: one table, each ratio of two things run in turn, held against what must be reached.

    make speed                                             # all rows, about forty minutes, nearly all of it flat decks
    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.speed --row hp --row lorenz96

A row is stored as soon as it is measured (``runs/speed``), so that an interrupted table goes on where it was; ``--force``
measures again. Exit code 1 when a row misses its must. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pandas as pd
import torch

import benchmarks.behavioural
from benchmarks.growth import HIDDEN, exponent, measure
from benchmarks.lorenz96 import lorenz96
from benchmarks.macromodel import COMPARISONS, Comparison
from benchmarks.profile import Profile
from cosim.console import Console
from cosim.report.markdown_table import MarkdownTable, write_tables
from cosim.simulation.decks import NGSPICE
from cosim.store.files import content_key, is_current, read_frame, write_frame
from cosim.store.sources import source_key

OUT = Path("runs/speed")
PARTS = ("parse", "load", "factor", "solve")
NOISY = "Seconds and shares of time are noisy: other programs on the machine move them."


def _row(what: str, measured: str, must: str, aim: str, *, holds: bool, profiles: Mapping[str, Profile] | None = None,
         apart: Mapping[str, float] | None = None) -> dict[str, str]:
    """A row of the table. What stands beside it, profiles by deck and distances by stimulus, is kept as JSON."""
    return {"what": what, "measured": measured, "must": must, "aim": aim,
            "verdict": "" if not must else "holds" if holds else "MISSED",
            "profiles": json.dumps([profile_cells(deck, run) for deck, run in (profiles or {}).items()]),
            "apart": json.dumps(apart or {})}


def profile_cells(deck: str, run: Profile) -> dict[str, str]:
    """Where the time of a run went, as text."""
    seconds = {part: getattr(run, part) for part in PARTS}
    seconds["rest"] = run.total - sum(seconds.values())
    return {"deck": deck, **{part: f"{spent / run.total:.0%}" for part, spent in seconds.items()},
            "equations": str(run.equations), "iterations": str(run.iterations)}


def _faster(one: Comparison, must: float, aim: str, apart: float | None = None, *, judged: bool = True) -> dict[str, str]:
    print(one, flush=True)
    holds = not judged or (one.speed >= must and (apart is None or one.apart <= apart))
    limit = "" if apart is None else f", {apart:g} of full scale"
    return _row(f"{one.name}, macro against flat", f"{one.speed:.0f} times ({one.flat.total:.0f} s, {one.macro.total:.1f} s), "
                f"{one.apart:.1e} of full scale", f"{must:g} times{limit}" if judged else "", aim, holds=holds,
                profiles={f"{one.name}, flat": one.flat, f"{one.name}, macro": one.macro})


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
    yield _row("Lorenz96 6-64-64-6, macro, 48 time units", f"{one.seconds:.0f} s, {one.memory / 1e9:.2f} GB",
               "300 s, 4 GB", "60 s", holds=one.seconds <= 300 and one.memory <= 4e9,
               profiles={f"Lorenz96, macro, {name}": phase for name, phase in one.phases.items()})


def _growth() -> Iterator[dict]:
    rows = []
    for hidden in HIDDEN:
        rows.append(measure(hidden))
        print(rows[-1], flush=True)
    last = rows[-1]
    memory = max(last.compile_memory, last.point_memory, last.transient_memory)
    grow = ", ".join(f"{name} {exponent(rows, field):.2f}" for name, field in (
        ("compile", "compile_seconds"), ("operating point", "point_seconds"), ("transient", "transient_seconds")))
    seconds = (f"hidden {last.hidden}, {last.arrays} arrays: {last.compile_seconds:.0f} s, {last.point_seconds:.0f} s, "
               f"{last.transient_seconds:.0f} s (0.1 time units), {memory / 1e9:.1f} GB")
    yield _row(f"growth, hidden {', '.join(map(str, HIDDEN))}: exponents over hidden", f"{grow}; {seconds}", "24 GB",
               f"transient at {HIDDEN[-1]}", holds=memory <= 24e9,
               profiles={f"6-{last.hidden}-{last.hidden}-6, macro, 0.1 time units": last.transient})


def _behavioural() -> Iterator[dict]:
    torch.set_num_threads(1)
    speed = benchmarks.behavioural.batch()
    yield _row("behavioural, 1000 HP twins, against 1000 macro runs", f"{speed:.0f} times", "100 times", "1000 times",
               holds=speed >= 100)
    apart = benchmarks.behavioural.accuracy()
    yield _row("behavioural against flat, HP twin", f"{max(apart.values()):.1e} of full scale", "1e-2 of full scale", "1e-3",
               holds=max(apart.values()) <= 1e-2, apart=apart)


ROWS: dict[str, Callable[[], Iterator[dict]]] = {
    "hp": _hp, "twelve_tiles": _twelve_tiles, "array": _array, "lorenz96": _lorenz96, "growth": _growth,
    "behavioural": _behavioural}


def tables(rows: pd.DataFrame) -> list[MarkdownTable]:
    """What goes into docs/results/speed.md; a table without rows is left out."""
    profiles = pd.DataFrame([cells for text in rows["profiles"] for cells in json.loads(text)])
    apart = pd.DataFrame([{"stimulus": name, "parts of full scale": f"{value:.1e}"} for text in rows["apart"]
                          for name, value in json.loads(text).items()])
    return [MarkdownTable(heading=heading, frame=frame, note=note) for heading, frame, note in (
        ("Speed and memory", rows[["what", "measured", "must", "aim", "verdict"]], NOISY),
        ("Where the time goes", profiles, NOISY),
        ("Behavioural against flat", apart, "HP twin, current drive.")) if len(frame)]


def main() -> None:
    """The table; exit code 1 where a must is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", action="append", choices=ROWS, help="measure this one only; may be given more than once")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder of finished rows (default {OUT})")
    parser.add_argument("--force", action="store_true", help="measure again what is there already")
    parser.add_argument("--docs", type=Path, help="write the tables to this Markdown file too, as in docs/results")
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
    rows = pd.concat(frames, ignore_index=True)
    for table in tables(rows):
        Console(width=190).table(table.frame, table.heading)
    if asked.docs:
        command = shlex.join(["python", "-m", "benchmarks.speed", *sys.argv[1:]])
        print(write_tables(asked.docs, "Speed and memory", tables(rows), command=command, engines=(NGSPICE.version(),)))
    sys.exit(1 if (rows["verdict"] == "MISSED").any() else 0)


if __name__ == "__main__":
    main()
