"""Speed and memory: one table, each ratio of two things run in turn, held against what must be reached.

    make speed                                             # all rows, about a quarter of an hour; nothing else may run
    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.speed --row hp --row lorenz96

Decks are compared with those of the commit before the work on speed (``benchmarks/before.py``), and each with a run of itself
whose tolerances and steps are tight. A row is stored as soon as it is measured (``runs/speed``), so that an interrupted table
goes on where it was; ``--force`` measures again. Exit code 1 when a row misses its must.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from benchmarks.before import ARCHIVE
from benchmarks.profile import Profile
from benchmarks.speed_rows import Row, behavioural, compiling, growth, hp, lorenz96, twelve_tiles
from cosim.console import Console
from cosim.report.markdown_table import MarkdownTable, write_tables
from cosim.simulation.decks import NGSPICE
from cosim.store.files import content_key, is_current, read_frame, write_frame
from cosim.store.sources import source_key

OUT = Path("runs/speed")
PARTS = ("parse", "load", "factor", "solve")
NOISY = "Processor seconds and shares of time are noisy: other programs on the machine move them."
ROWS: dict[str, Callable[[], Iterator[Row]]] = {
    "hp": hp, "lorenz96": lorenz96, "twelve_tiles": twelve_tiles, "compiling": compiling, "growth": growth,
    "behavioural": behavioural}


def profile_cells(deck: str, run: Profile) -> dict[str, str]:
    """Where the time of a run went, as text."""
    seconds = {part: getattr(run, part) for part in PARTS}
    seconds["rest"] = run.total - sum(seconds.values())
    return {"deck": deck, **{part: f"{spent / run.total:.0%}" for part, spent in seconds.items()},
            "equations": str(run.equations), "iterations": str(run.iterations)}


def _cells(row: Row) -> dict[str, str]:
    return {"what": row.what, "measured": row.measured, "must": row.must, "aim": row.aim, "verdict": row.verdict,
            "profiles": json.dumps([profile_cells(deck, run) for deck, run in row.profiles.items()]),
            "apart": json.dumps(row.apart)}


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
    key = content_key([source_key("circuits", "cosim"), ARCHIVE.read_bytes(), *(file.read_bytes() for file in benchmarks)])
    frames = []
    for name in asked.row or ROWS:
        path = asked.out / f"{name}.parquet"
        if asked.force or not is_current(path, key):
            print(f"measuring {name}", flush=True)
            write_frame(path, pd.DataFrame([_cells(row) for row in ROWS[name]()]), key)
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
