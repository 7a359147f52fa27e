"""Networks of every shape and weight: compiled, or refused by name; never a crash, never a silent clip.

``make test`` tries a few; ``make fuzz EXAMPLES=2000 RUNS=40`` tries many (environment COSIM_FUZZ and COSIM_FUZZ_RUNS).
"""

import os
import re
import tempfile
from pathlib import Path

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, note, settings

from circuits.board.testbench import SUPPLY
from circuits.engine.door.guard import check_deck
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.errors import CircuitError, FailureKind
from circuits.stages.clamp import CLAMP_ONSET
from cosim.comparison.clamp_hits import clamp_hits
from cosim.compiler.options import Options
from cosim.errors import CosimError
from cosim.folder.manifest import read_manifest
from cosim.problem.network import read_network
from cosim.problem.reference import reference
from cosim.simulation.twin_states import twin_states
from training.errors import TrainingError

from . import networks

TYPED = (CosimError, CircuitError, TrainingError)
EXAMPLES = int(os.environ.get("COSIM_FUZZ", "50"))
RUNS = int(os.environ.get("COSIM_FUZZ_RUNS", "3"))
WIDEST = 40 if "COSIM_FUZZ" in os.environ else 20  # above 15, a layer takes more than one array
CHECKED = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck),
                   derandomize="COSIM_FUZZ" not in os.environ, phases=[Phase.generate])  # shrinking takes minutes
NUMBER_THAT_IS_NONE = re.compile(r"(?<![a-z_])(nan|inf)(?![a-z_])", re.I)


def compile_or_name(experiment, folder, fidelity):
    """The twin, or None when the compiler refused with a message of ours."""
    try:
        return experiment.compile(folder, Options(fidelity=fidelity, all_cells=False))
    except TYPED as refused:
        note(f"refused: {refused}")
        assert len(str(refused)) > 20
        return None


@settings(CHECKED, max_examples=EXAMPLES)
@given(experiment=networks.experiments(widest=WIDEST))
def test_compiles_or_says_why(experiment):
    with tempfile.TemporaryDirectory() as made:
        twin = compile_or_name(experiment, Path(made), "flat")
        if twin is None:
            assert list(Path(made).rglob("*")) == []  # nothing half written
            return
        window = twin.options.window
        for one in (one for layer in twin.layers for one in layer.tiles):
            assert one.g.min() >= window.g_min * (1 - 1e-6)
            assert one.g.max() <= window.g_max * (1 + 1e-6)
        for file in check_deck(Path(made) / "fuzz.cir"):
            assert not NUMBER_THAT_IS_NONE.search(file.text()), file.path
        manifest = read_manifest(Path(made))
        assert manifest.cases["fuzz"] == experiment.cases[0]
    if any(layer.unreached() for layer in twin.layers):
        return  # the manifest says so, weight by weight
    rows = np.hstack([experiment.calibration.inputs, experiment.calibration.states])[::20]
    expected = experiment.model(torch.from_numpy(rows)).detach().numpy()
    board = networks.PaperBoard(twin)
    told = [board.told(*np.split(row, [experiment.calibration.inputs.shape[1]])) for row in rows]
    got, doubt = (np.array(part) for part in zip(*told, strict=True))
    note(f"off by {np.abs(got - expected).max():.3g}, allowed {doubt.max():.3g}")
    assert (np.abs(got - expected) <= doubt + 1e-12 * np.abs(expected)).all()


@settings(CHECKED, max_examples=RUNS)
@given(experiment=networks.experiments(widest=5, deepest=2, most_states=2))
def test_runs_or_says_why(experiment):
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        twin = compile_or_name(experiment, folder, "macro")
        if twin is None:
            return
        try:
            waves = run(Job(deck=folder / "fuzz.cir", timeout=120, max_voltage=SUPPLY + 0.1)).waveforms
        except TYPED as refused:
            note(f"refused: {refused}")
            assert getattr(refused, "kind", None) is not FailureKind.NO_CONVERGENCE
            return
        case = experiment.cases[0]
        states = twin_states(waves, read_manifest(folder), case)
        expected = reference(read_network(experiment.model), case)
        hits = clamp_hits(waves, CLAMP_ONSET)
        error = (np.abs(states - expected) * twin.scales.state).max()
        note(f"{error:.3g} V from torch, clamp hits {hits}")
        assert np.isfinite(states).all()
        told = bool(hits) or any(layer.unreached() for layer in twin.layers)
        assert told or error < 0.02, f"{error:.3g} V from torch and nothing says so"  # V, a tenth of a line's full scale
