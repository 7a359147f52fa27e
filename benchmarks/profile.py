"""Where ngspice's time goes: its own accounting of one run."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from circuits.engine.job import GIB, Job
from circuits.engine.result import Result
from circuits.engine.run import run

PARSE = ("Netlist loading time", "Subckt and Param expansion time", "Netlist parsing time")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Seconds of one run, by ngspice's clock, and its size."""

    total: float  # s, parsing and set-up included
    parse: float  # s
    load: float  # s, device equations into the matrix
    factor: float  # s, reordering included
    solve: float  # s
    points: int
    iterations: int
    equations: int
    memory: float  # bytes, peak
    result: Result

    @property
    def shares(self) -> str:
        """Parts of the total, for a table."""
        parts = {"parse": self.parse, "load": self.load, "factor": self.factor, "solve": self.solve}
        rest = self.total - sum(parts.values())
        return ", ".join(f"{name} {part / self.total:.0%}" for name, part in (parts | {"rest": rest}).items())


def profile(deck: Path, *, timeout: float = 7200.0, operating_point: bool = False) -> Profile:
    """Run a copy of a deck with ngspice's accounting on.

    Args:
        deck: with its includes below its folder.
        operating_point: instead of the deck's transient; its measures are left out.
    """
    with tempfile.TemporaryDirectory() as made:
        copy = Path(made) / "deck"
        shutil.copytree(deck.parent, copy, ignore=shutil.ignore_patterns("*.raw", "weights.npz"))
        path = copy / deck.name
        text = re.sub(r"(?m)^\.options ", ".options acct ", path.read_text())
        if operating_point:
            text = re.sub(r"(?m)^\.tran .*$", ".op", text)
            text = re.sub(r"(?m)^\.meas .*\n", "", text)
        path.write_text(text)
        result = run(Job(deck=path, timeout=timeout, memory_limit=24 * GIB, file_limit=24 * GIB))
    log = result.log
    return Profile(
        total=_figure(log, "Total elapsed time (seconds)"), parse=sum(_figure(log, name) for name in PARSE),
        load=_figure(log, "Matrix load time"), factor=_figure(log, "Matrix factor time") + _figure(log, "Matrix reorder time"),
        solve=_figure(log, "Matrix solve time"), points=0 if operating_point else int(_figure(log, "Accepted timepoints")),
        iterations=int(_figure(log, "Total iterations")), equations=int(_figure(log, "Circuit Equations")),
        memory=1e6 * _figure(log, "Maximum ngspice program size"), result=result)


def _figure(log: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)}\s*=\s*([-+0-9.eE]+)", log, re.M)
    if found is None:
        raise ValueError(f"ngspice's accounting has no {name!r}; its log ends:\n{log[-2000:]}")
    return float(found[1])
