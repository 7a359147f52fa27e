"""Kill `cosim simulate` at random moments, many times, and look at what is left.

    python -m benchmarks.kills --count 200

Each time: a folder of three decks, one whose result is current, one whose result is of an older deck, one without result; the
whole command in a process of its own; SIGKILL, SIGTERM or SIGINT after a random part of an undisturbed run, two times in
three counted from the first engine. Afterwards no
engine may be alive, every result must be whole, and earlier results must be as they were. At the end the command must go on
where it was stopped and give what an undisturbed run gives. Prints counts by signal and phase; exit code 1 on any violation.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# What the command was doing when the signal came: no engine yet; engines run; between the last engine and the last result;
# all is stored and Python ends, when a signal finds no handler any more; ended by itself.
PHASES = ("starting", "simulating", "storing", "ending", "over")
GRACE = 5.0  # s that an engine may live on
DECK = "{name}\nv1 a 0 sin(0 1 {frequency})\nr1 a b 1k\nc1 b 0 1n\n.options klu\n.save v(b)\n.tran 1u {stop} 0 1u\n.end\n"
STOPS = {"current": "1m", "older": "300m", "new": "500m"}  # s of circuit time, a second of it takes about four
SHORT = 0.1  # of those, for a quick look


@dataclass
class Place:
    """Where one command works."""

    decks: Path
    results: Path
    temporary: Path


@dataclass
class Tally:
    """What was seen."""

    phases: Counter = field(default_factory=Counter)  # (signal, phase)
    results: Counter = field(default_factory=Counter)  # (deck, "as before", "new", "absent")
    left: Counter = field(default_factory=Counter)  # things that may stay behind after SIGKILL
    violations: list[str] = field(default_factory=list)


def make_decks(folder: Path, frequency: str) -> None:
    """Three decks; another frequency makes other decks of the same names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, stop in STOPS.items():
        (folder / f"{name}.cir").write_text(DECK.format(name=name, stop=stop, frequency=frequency))


def start(place: Place) -> subprocess.Popen:
    """The whole command, as a user types it."""
    place.temporary.mkdir(parents=True, exist_ok=True)
    env = os.environ | {"TMPDIR": str(place.temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen([sys.executable, "-m", "cosim.cli.main", "simulate", str(place.decks), "--out", str(place.results)],
                            cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)


def finish(place: Place) -> tuple[float, float]:
    """Run the command undisturbed; seconds to the first engine and to the end."""
    began = time.monotonic()
    process = start(place)
    wait_for_engine(place, process)
    first = time.monotonic() - began
    out, err = process.communicate(timeout=120)
    if process.returncode:
        raise SystemExit(f"the undisturbed run failed:\n{out}{err}")
    return first, time.monotonic() - began


def wait_for_engine(place: Place, process: subprocess.Popen) -> None:
    """Return when an engine runs, or the command is over."""
    while process.poll() is None and not engines(place):
        time.sleep(0.01)


def engines(place: Place) -> list[int]:
    """Living processes that work in the place's temporary folder; nobody else's."""
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        try:
            inside = os.readlink(one / "cwd").startswith(f"{place.temporary}/")
            if inside and (one / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                found.append(int(one.name))
        except OSError:  # it ended meanwhile, or is not ours to look at
            continue
    return found


def run_folders(place: Place) -> set[Path]:
    """Working folders of engines, of whatever command."""
    return set(place.temporary.glob("cosim-run-*"))


def phase_of(place: Place, process: subprocess.Popen, before: dict[str, bytes], already: set[Path]) -> str:
    """What the command is doing; ``already``: folders that are not its own."""
    if process.poll() is not None:
        return "over"
    if engines(place):
        return "simulating"
    stored = sum(before.get(path.name) != path.read_bytes() for path in place.results.glob("*.parquet"))
    if stored == len(STOPS) - 1:
        return "ending"
    return "storing" if stored or run_folders(place) - already else "starting"


def kill_once(place: Place, number: signal.Signals, after: float, engine_first: bool, tally: Tally,
              before: dict[str, bytes]) -> None:
    """One command, one signal, one look at what is left.

    Args:
        after: seconds from the command's start, or from its first engine where ``engine_first``.
    """
    already = run_folders(place)  # the last kill finds those of the one before it, which may have been SIGKILL's
    process = start(place)
    if engine_first:
        wait_for_engine(place, process)
    time.sleep(after)
    phase = phase_of(place, process, before, already)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    tally.phases[number.name, phase] += 1
    case = f"{number.name} after {after:.3f} s ({phase})"
    deadline = time.monotonic() + GRACE
    while (living := engines(place)) and time.monotonic() < deadline:
        time.sleep(0.02)
    if living:
        tally.violations.append(f"{case}: engines {living} still run")
    if phase in ("simulating", "storing") and number != signal.SIGKILL:
        word = {signal.SIGTERM: "terminated", signal.SIGINT: "interrupted"}[number]
        if process.returncode not in (0, 128 + number) or (process.returncode and f"cosim: {word}" not in err):
            tally.violations.append(f"{case}: exit code {process.returncode}, said {err[-300:]!r}")
        if folders := run_folders(place) - already:
            tally.violations.append(f"{case}: left {sorted(folders)}")
    tally.left["temporary folder"] += len(run_folders(place) - already)
    tally.left["hidden .partial file"] += len(list(place.results.glob(".*")))
    check_results(place, case, tally, before)


def check_results(place: Place, case: str, tally: Tally, before: dict[str, bytes]) -> None:
    """Every file a whole result, earlier ones byte for byte or replaced by a whole one."""
    for name in STOPS:
        path = place.results / f"{name}.parquet"
        content = path.read_bytes() if path.is_file() else None
        if content == before.get(path.name):
            tally.results[name, "absent" if content is None else "as before"] += 1
            continue
        tally.results[name, "new"] += 1
        if content is None or name == "current":
            tally.violations.append(f"{case}: {path.name} was {'lost' if content is None else 'written again'}")
            continue
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError) as damaged:
            tally.violations.append(f"{case}: {path.name} is damaged: {damaged}")
            continue
        wanted = float(STOPS[name].removesuffix("m")) / 1e3
        if not np.isclose(frame["time"].iloc[-1], wanted, rtol=1e-6) or "key" not in frame.attrs:
            tally.violations.append(f"{case}: {path.name} ends at {frame['time'].iloc[-1]} s of {wanted} s")
    strange = [p.name for p in place.results.iterdir() if p.suffix != ".parquet" and not p.name.startswith(".")]
    if strange:
        tally.violations.append(f"{case}: strange files {strange}")


def go_on(place: Place, reference: Path, tally: Tally) -> None:
    """The same command again: finishes, gives what an undisturbed run gives, and clears what killed runs left."""
    for left in place.temporary.glob("cosim-run-*"):
        os.utime(left, (0, 0))  # as if an hour had passed
    finish(place)
    for name in STOPS:
        one, other = (pd.read_parquet(folder / f"{name}.parquet") for folder in (place.results, reference))
        if not one.equals(other):
            tally.violations.append(f"after going on, {name}.parquet is not what an undisturbed run gives")
    if left := list(place.temporary.glob("cosim-run-*")):
        tally.violations.append(f"the next run left {len(left)} abandoned temporary folders")


def report(tally: Tally, count: int, seconds: float) -> str:
    """Counts by signal and phase."""
    lines = [f"{count} kills, one undisturbed run takes {seconds:.1f} s", f"{'':<10}" + "".join(f"{p:>12}" for p in PHASES)]
    lines += [f"{s.name:<10}" + "".join(f"{tally.phases[s.name, p]:>12}" for p in PHASES) for s in SIGNALS]
    lines += [f"result '{name}': {state}: {n}" for (name, state), n in sorted(tally.results.items())]
    lines += [f"left behind, {what}: {n}" for what, n in sorted(tally.left.items())]
    lines += [f"VIOLATION {one}" for one in tally.violations]
    return "\n".join([*lines, f"violations: {len(tally.violations)}"])


def main(words: Sequence[str] | None = None) -> int:
    """Parse, kill, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="kills (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="of moments (default 0); signals take turns")
    parser.add_argument("--short", action="store_true", help="shorter simulations, for a test")
    given = parser.parse_args(words)
    if given.short:
        STOPS.update({name: f"{SHORT * float(stop.removesuffix('m')):g}m" for name, stop in STOPS.items()})
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and its children would
    chance = random.Random(given.seed)
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="cosim-kills-") as made:
        base = Path(made)
        decks, earlier, reference = base / "decks", base / "earlier", base / "reference"
        make_decks(decks, "2k")
        finish(Place(decks, earlier, base / "tmp"))
        (earlier / "new.parquet").unlink()
        current = (decks / "current.cir").read_text()
        make_decks(decks, "1k")
        (decks / "current.cir").write_text(current)
        first, seconds = finish(Place(decks, reference, base / "tmp"))
        before = {path.name: path.read_bytes() for path in earlier.iterdir()}
        for turn in range(given.count):
            place = Place(decks, base / "results", base / "runs")
            shutil.rmtree(place.results, ignore_errors=True)
            shutil.copytree(earlier, place.results)
            if turn < given.count - 1:  # the last one's folders stay, to see that the next run clears them
                shutil.rmtree(place.temporary, ignore_errors=True)
            number, engine_first = SIGNALS[turn % len(SIGNALS)], turn // len(SIGNALS) % 3 > 0
            after = chance.uniform(0, 1.1 * (seconds - first if engine_first else seconds))
            kill_once(place, number, after, engine_first, tally, before)
        go_on(place, reference, tally)
    print(report(tally, given.count, seconds))
    return bool(tally.violations)


if __name__ == "__main__":
    sys.exit(main())
