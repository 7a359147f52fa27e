"""The Lorenz96 report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from circuits.board import nets
from circuits.engine.ngspice import find_engine
from cosim.folder.compiled import CompiledNetwork
from cosim.report.floor_plan import floor_plan
from cosim.report.page import Figure, Section, write_page
from cosim.store.files import read_frame
from cosim.studies.base.results import Results
from cosim.studies.lorenz96.error_growth import error_growth
from cosim.studies.lorenz96.experiment import PHASES, Lorenz96Setup, Twin
from cosim.studies.lorenz96.l1_bars import l1_bars
from cosim.studies.lorenz96.metrics import DEFINITION
from cosim.studies.lorenz96.prediction_time import LYAPUNOV_TIMES, prediction_time
from cosim.studies.lorenz96.site_traces import site_traces
from cosim.studies.lorenz96.state_time import state_time
from cosim.studies.lorenz96.table import table


def write_report(setup: Lorenz96Setup, results: Results, twins: Sequence[Twin], compiled: Mapping[str, CompiledNetwork],
                 metrics: dict, page: Path) -> Path:
    """Figures as PNG in ``figures/``, and the page with all of them inside.

    Raises:
        ResultsError: a result is missing; says which.
    """
    folder = results.figures
    shown = [twin for twin in twins if twin.reference]
    frames = {twin: read_frame(results.waveforms(twin.waveforms_name)) for twin in shown}
    regular = shown[0]
    sections = [Section(title="All models", figures=[Figure.drawn(
        l1_bars(metrics, regular.system.forcing),
        "Free-run L1 of the circuit twin, of the networks it was compiled from, and of the baselines; bars: one standard "
        "deviation over seeds.", folder / "l1_bars.png")])]
    sections.append(Section(title="Which error grows", figures=[Figure.drawn(
        error_growth({_title(twin): frame for twin, frame in frames.items()}),
        "Mean absolute error over the sites, running mean of one time unit. Dashed: extrapolation starts anew, from its first "
        "true sample.", folder / "error_growth.png")]))
    for twin, frame in frames.items():
        figures = [Figure.drawn(state_time(frame, _title(twin)),
                                f"{_title(twin)}. State over time and site; the error on the states' own scale.",
                                folder / f"{twin.forcing}_state_time.png"),
                   Figure.drawn(site_traces(frame), f"{_title(twin)}. All sites.", folder / f"{twin.forcing}_traces.png")]
        figures += _predictions(folder, twin, frame, metrics)
        sections.append(Section(title=f"F = {twin.system.forcing:g}", figures=figures))
    plan = compiled[regular.name].board.layers
    count = sum(len(layer.tiles) for layer in plan)
    sections.append(Section(title="Floor plan", figures=[Figure.drawn(
        floor_plan(plan),
        f"{count} arrays of 32 × 32; filled: source lines × bit lines in use. The tiles of one output share its source-line "
        "amplifier; biases are the last pair of bit lines.", folder / "floor_plan.png")]))
    cells = table(metrics)
    return write_page(page, "lorenz96.html", {
        "title": "Lorenz96 twin",
        "columns": list(cells.columns),
        "rows": cells.to_numpy().tolist(),
        "published": metrics["published"],
        "definition": DEFINITION,
        "hits": _hits(metrics["cases"]),
        "sections": sections,
        "origin": _origin(setup, compiled, metrics),
    })


def _title(twin: Twin) -> str:
    return f"F = {twin.system.forcing:g}, seed {twin.seed}"


def _predictions(folder: Path, twin: Twin, frame: pd.DataFrame, metrics: dict) -> list[Figure]:
    figures = []
    for valid in metrics["valid_prediction"]:
        for case in valid["cases"]:
            if (valid["forcing"], case["seed"]) != (twin.system.forcing, twin.seed) or case["phase"] not in PHASES:
                continue
            figures.append(Figure.drawn(
                prediction_time(frame[frame["phase"] == case["phase"]], case, valid["exponent"]),
                f"{_title(twin)}, {case['phase']}: the first {LYAPUNOV_TIMES:g} Lyapunov times; vertical: where torch and the "
                "circuit are lost.", folder / f"{twin.forcing}_prediction_{case['phase']}.png"))
    return figures[::-1]  # the extrapolation first


def _hits(rows: list[dict]) -> list[str]:
    """A run that left the linear range: when and where it began, and how many lines followed."""
    hits = []
    for row in rows:
        if row["clamp_hits"]:
            line, hit = next(iter(row["clamp_hits"].items()))
            hits.append(f"F = {row['forcing']:g}, seed {row['seed']}, {row['phase']}: {nets.signal_words(line)} first, "
                        f"at {hit['time']:.4g} s of circuit time, up to {hit['peak']:.2f} V; "
                        f"lines in all: {len(row['clamp_hits'])}")
    return hits


def _origin(setup: Lorenz96Setup, compiled: Mapping[str, CompiledNetwork], metrics: dict) -> list[tuple[str, str]]:
    rows = [(f"weights, {network.subject}", network.manifest.weights_sha256) for network in compiled.values()]
    rows += [(f"lag without lead, {network.subject}", f"{1e6 * metrics['trim']['lag'][name]:.2f} µs, taken out by "
              f"{1e12 * network.board.c_lead:.3g} pF") for name, network in compiled.items()]
    options = setup.options
    solver = f"{options.solver.options}; largest step {options.max_step:g} time units"
    rows += [("time scale", f"{options.time_scale:g} s a time unit"), ("neuron", options.neuron), ("solver", solver),
             ("ngspice", str(find_engine().version))]
    return rows + [(name, version(name)) for name in ("cosim", "PySpice", "numpy", "scipy", "torch", "torchdiffeq")]
