"""Measures: the deck's ``.meas`` cards, worked out by ngspice itself from the finished raw file.

With ``-r`` ngspice skips ``.meas``. The other way round, ``run`` and ``write`` in a ``.control`` block, keeps everything in
memory (a killed run leaves nothing, measured) and loses the exit code. So the run streams to its raw file, and a second
process of about 10 ms loads it: a circuit of one source with the deck's parameters and ``.meas`` cards runs into another
file, which leaves the loaded plot current, and ngspice then works the cards out on that plot, ``param={...}`` and all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from circuits.engine.door.request import MEASURED, MeasureCard, Request, without_par
from circuits.engine.waveforms import Waveforms

_DUMMY = {"tran": ".tran 1 1", "ac": ".ac lin 1 1 1", "dc": ".dc v_cosim_dummy 0 1 1", "sp": ".sp lin 1 1 1"}
_SOURCE = {"sp": "v_cosim_dummy cosim_dummy 0 dc 0 ac 1 portnum 1 z0 50"}
_RESULT = re.compile(r"^(\w+)\s+=\s+([-+]?\d[\d.]*e[-+]\d+|[-+]?inf|[-+]?nan|failed)\b", re.I | re.M)
_HEADING = "Measurements for"


def kind_of(plot: Waveforms) -> str:
    """Analysis of a plot as a measure names it: "tran" for "tran2"."""
    return plot.name.rstrip("0123456789")


def lost_measures(request: Request, plots: Sequence[Waveforms]) -> dict[str, str]:
    """Measures that ngspice cannot work out on what was run, and why."""
    run = {kind_of(plot) for plot in plots}
    lost = {}
    for measure in request.measures:
        if not measure.analysis:
            lost[measure.name] = "it names no analysis; write e.g. .meas tran name ..."
        elif measure.analysis not in MEASURED:
            lost[measure.name] = (f"ngspice has no measures for analysis {measure.analysis!r}, only for {', '.join(MEASURED)}; "
                                  "read the value from the stored plot")
        elif measure.analysis not in run:
            lost[measure.name] = (f"it is for analysis {measure.analysis!r}, the deck runs {', '.join(request.analyses)}; add "
                                  "the card, or remove the measure")
    return lost


def measure_deck(request: Request, cards: Sequence[MeasureCard], raw: str) -> str:
    """The little deck that works out measures, all of one analysis, on a raw file of one plot in the working folder."""
    analysis = cards[0].analysis
    texts = [without_par(measure.card.text, measure.first_par).split(None, 1)[1] for measure in cards]
    return "\n".join([
        "cosim measures", *request.context, _SOURCE.get(analysis, "v_cosim_dummy cosim_dummy 0 dc 0 ac 1"), _DUMMY[analysis],
        ".save v(cosim_dummy)", *(f".meas {text}" for text in texts),
        ".control", f"load {raw}", f"setplot {analysis}1", "run cosim_dummy.raw", "quit", ".endc", ".end", ""])


def read_measures(cards: Sequence[MeasureCard], stdout: str, stderr: str) -> tuple[dict[str, float], dict[str, str]]:
    """Values by name, NaN for one that failed; and why each of those failed."""
    given = {name.lower(): value for name, value in _RESULT.findall(stdout.partition(_HEADING)[2])}
    values, failed = {}, {}
    for measure in cards:
        text = given.get(measure.name, "failed")
        values[measure.name] = math.nan if text.lower() == "failed" else float(text)
        if not math.isfinite(values[measure.name]):
            values[measure.name] = math.nan
            failed[measure.name] = _reason(measure, stderr)
    return values, failed


def _reason(measure: MeasureCard, stderr: str) -> str:
    before, found, _ = stderr.partition(f".meas {measure.analysis} {measure.name} ")
    errors = re.findall(r"^\s*Error: *(.*\S)", before, re.M)
    if found and errors:
        return errors[-1]
    other = [line.strip() for line in stderr.splitlines() if measure.name in line.lower().split()]
    return other[0] if other else "ngspice printed no result; a measure that it uses may have failed"
