"""`cosim lorenz96-horizon`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cosim.cli.results_file import write_docs
from cosim.console import Console
from cosim.report.markdown_table import MarkdownTable
from cosim.simulation.engine import require_engine
from cosim.studies.base.pipeline import Pipeline
from cosim.studies.base.results import Results
from cosim.studies.lorenz96.horizon import HorizonSetup, horizon_options, run_horizon
from cosim.studies.lorenz96.horizon_tables import boards_table, networks_table, smooth_table, starts_table
from cosim.studies.lorenz96.study import TIMEOUT
from training.checkpoint import load
from training.experiments.lorenz96_ridges import ridges_path

BOARDS = {"macro": "macro decks", "behavioural": "behavioural board"}
NOTE = "Lyapunov times until the distance from the truth passes 0.4 of the attractor's spread"


def run(out: Path, *, starts: int, time_scale: float, fidelity: str, workers: int, force: bool, quiet: bool,
        docs: Path | None = None) -> None:
    """The chaotic ring from many starts: fit, compile, trim, simulate, compare; print the tables."""
    if fidelity != "behavioural":
        require_engine()
    setup = replace(HorizonSetup(), starts=starts, options=horizon_options(time_scale))
    pipeline = Pipeline(results=Results(root=out), console=Console(quiet=quiet), workers=workers, timeout=TIMEOUT, force=force)
    metrics = run_horizon(setup, pipeline, fidelity)
    each, networks = starts_table(metrics), networks_table(setup)
    Console().table(each, f"Lorenz96, F = 8: {NOTE}")
    Console().table(networks, "In torch: median over the starts, and the quartiles")
    if fidelity != "behavioural":
        print(f"runs that reached a clamp: {metrics['clamp_hits']} of {starts}")
    if docs is None:
        return
    boards = boards_table(setup, load(ridges_path(setup.system, setup.checkpoints)).net)
    title = f"How far the chaotic ring is predicted: {starts} starts, {BOARDS[fidelity]}, {time_scale:g} s per time unit"
    write_docs(docs, title, [
        MarkdownTable(heading="Every start", frame=each, note=f"{NOTE}; F = 8, ridge network."),
        MarkdownTable(heading="Networks in torch", frame=networks, note=f"{NOTE}, median over the starts and quartiles. Slope "
                      "errors are RMS in model units per time unit, on the extrapolation span."),
        MarkdownTable(heading="What a slope error allows", frame=smooth_table(setup), note=f"{NOTE}, median and quartiles. A "
                      "smooth random field of this RMS is added to the equation itself."),
        MarkdownTable(heading="What the board adds", frame=boards, note=f"{NOTE}, median and quartiles; behavioural model of "
                      "the ridge network's board."),
    ], engines=None if fidelity != "behavioural" else ())
