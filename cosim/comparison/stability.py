"""The loops of a compiled board: their margins, settling and headroom, as tables and as a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from circuits.board import nets
from circuits.loops.board_loops import Levels, Loop, board_loops
from circuits.loops.measure import Finding, measure_loops
from circuits.stages.clamp import CLAMP_ONSET
from cosim.compiler.scaling import SWING
from cosim.errors import StabilityError
from cosim.folder.manifest import Manifest
from cosim.folder.read import read_board, read_programmed

LEAST = 45.0  # deg
WORST = 2  # loops of a kind and layer that are shown
PASSING = "crossover"  # a neuron's state that no signal stays in, so that nothing settles there
# Tried on stages brought down to 15 to 40 degrees by nanofarads, docs/explanation/stability.md
_LINE = "less capacitance on the line that it drives"
REMEDIES = {
    "tia": "a capacitor across r_f, or less capacitance on its source line",
    "clamped_tia": f"a capacitor across r_f, or less capacitance on its source line; or {_LINE}",
    "relu_tia": "a resistor of some 200 ohm between source line and summing node (off), a capacitor across r_f (on)",
    "rectifier": _LINE,
    "inverter": f"a capacitor of some 30 pF across its feedback resistor, or {_LINE}",
    "buffer": f"feedback from the line through 10 kohm and, for high frequencies, 100 pF from the op-amp's output; or {_LINE}",
    "integrator": "a smaller lead capacitor: the compiler's option lead",
}


@dataclass(frozen=True, kw_only=True)
class Stability:
    """What was measured on one board."""

    findings: tuple[Finding, ...]
    peaks: dict[str, float]  # saved vector -> largest voltage [V]
    time_constant: float  # s, the integrators'

    def headroom(self, loop: Loop) -> float:
        """Volts from the loop's largest signal to the clamps' onset, or to the op-amps' swing where there is no clamp."""
        peak = self.peaks.get(loop.signal, np.nan)
        return (CLAMP_ONSET if loop.clamped else SWING) - peak

    def worst(self, findings: Sequence[Finding] | None = None) -> Finding:
        """The finding with the smallest phase margin."""
        return min(findings or self.findings, key=_margin)


def measure_board(manifest: Manifest, peaks: dict[str, float], *, stray: float = 0.0, workers: int = 2) -> Stability:
    """Measure every loop of a folder's board, with the parts that lie in the folder.

    Args:
        peaks: largest voltages [V]; the operating points reach as far, or as far as the compiler's ranges.
        stray: [F], of package and board at every pin of an array.
    Raises:
        ResultsError, CircuitError: the folder is damaged.
        SimulationError: a loop bench failed.
    """
    board, ranges = read_board(manifest), manifest.ranges
    kinds = {name: signal.kind for name in peaks if (signal := nets.parse_vector(name))}
    lines = [peaks[name] for name, kind in kinds.items() if kind in ("external", "state", "hidden")]
    derivatives = [peaks[name] for name, kind in kinds.items() if kind == "derivative"]
    levels = Levels(line=min(CLAMP_ONSET, max(ranges.line, *lines)), bias=manifest.scales.bias,
                    derivative=min(SWING, max(ranges.derivative, *derivatives)))
    loops = board_loops(board, read_programmed(manifest, board), levels, stray=stray)
    parts = {path.stem: path.read_text() for path in sorted((manifest.folder / "parts").glob("*.lib"))}
    findings = measure_loops(loops, parts=parts, workers=workers)
    return Stability(findings=tuple(findings), peaks=peaks, time_constant=board.r_in * board.c_int)


def loop_table(stability: Stability, *, everything: bool = False) -> pd.DataFrame:
    """Loops as text cells, one row a loop and state; the worst of each layer and kind, at the worst point of each state.

    Args:
        everything: every loop at every operating point.
    """
    rows = []
    for group in _grouped(stability.findings, lambda one: (one.loop.place, one.loop.kind)):
        loops = _grouped(group, lambda one: one.loop.number)
        shown = loops if everything else sorted(loops, key=lambda found: _margin(stability.worst(found)))[:WORST]
        for found in shown:
            states = [[one] for one in found] if everything else _grouped(found, lambda one: one.state.split(",")[0])
            rows += [_row(stability, stability.worst(points)) for points in states]
    return pd.DataFrame(rows)


def kind_table(stability: Stability) -> pd.DataFrame:
    """One row a kind of loop: how many, the worst margin and where, the slowest that is not crossing over, the least room."""
    rows = []
    for group in _grouped(stability.findings, lambda one: one.loop.kind):
        worst = stability.worst(group)
        slow = max((one for one in group if one.state != PASSING), key=lambda one: one.measured.gain.settling)
        rooms = [room for one in group if np.isfinite(room := stability.headroom(one.loop))]
        rows.append({
            "what": worst.loop.kind, "loops": len({one.loop.name for one in group}),
            "worst margin, deg": f"{_margin(worst):.1f}", "worst loop": worst.loop.name, "its state": worst.state,
            "slowest, us": _microseconds(slow), "/ tau": _ratio(slow, stability), "slowest loop": slow.loop.name,
            "at": slow.state, "least room, V": f"{min(rooms):.3f}" if rooms else "-",
        })
    return pd.DataFrame(rows)


def require_margins(stability: Stability, least: float = LEAST) -> None:
    """Refuse a board with a loop under ``least`` [deg].

    Raises:
        StabilityError: names the worst loops, their margins and how to mend each kind.
    """
    short = [one for one in stability.findings if not _margin(one) >= least]
    if not short:
        return
    loops = [stability.worst(found) for found in _grouped(short, lambda one: one.loop.name)]
    told = []
    for group in _grouped(sorted(loops, key=_margin), lambda one: one.loop.kind):
        names = ", ".join(f"{one.loop.name} ({one.state}) {_margin(one):.1f}°" for one in group[:3])
        more = f" and {len(group) - 3} more" if len(group) > 3 else ""
        told.append(f"{names}{more}: mend with {REMEDIES[group[0].loop.kind]}")
    count = len({one.loop.name for one in stability.findings})
    raise StabilityError(f"{len(loops)} of {count} loops have a phase margin under {least:g}° and ring, below 0° oscillate. "
                         + ". ".join(told))


def _row(stability: Stability, one: Finding) -> dict[str, str]:
    gain, loop = one.measured.gain, one.loop
    peak = stability.peaks.get(loop.signal)
    return {
        "what": loop.name, "state": one.state, "noise gain": f"{one.measured.noise_gain:.4g}",
        "crossover, kHz": f"{gain.crossover / 1e3:.4g}", "margin, deg": f"{gain.margin:.1f}",
        "gain margin, dB": f"{20 * np.log10(gain.gain_margin):.0f}" if np.isfinite(gain.gain_margin) else "-",
        "settling, us": _microseconds(one), "/ tau": _ratio(one, stability),
        "signal, mV": "-" if peak is None else f"{1e3 * peak:.1f}",
        "to clamp, mV": f"{1e3 * stability.headroom(loop):.0f}" if loop.clamped and peak is not None else "-",
        "to swing, V": f"{SWING - abs(one.measured.output):.2f}",
    }


def _margin(one: Finding) -> float:
    return one.measured.gain.margin


def _microseconds(one: Finding) -> str:
    return "-" if one.state == PASSING else f"{1e6 * one.measured.gain.settling:.3g}"


def _ratio(one: Finding, stability: Stability) -> str:
    return "-" if one.state == PASSING else f"{one.measured.gain.settling / stability.time_constant:.1e}"


def _grouped(findings: Sequence[Finding], key) -> list[list[Finding]]:
    groups: dict[object, list[Finding]] = {}
    for one in findings:
        groups.setdefault(key(one), []).append(one)
    return list(groups.values())
