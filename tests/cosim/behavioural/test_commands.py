"""`cosim simulate --fidelity behavioural` and `cosim compile --fidelity --time-scale`."""

import pandas as pd
import pytest

from cosim.folder.manifest import read_manifest
from cosim.simulation.decks import read_vectors
from training.experiments.hp_memristor import checkpoint_paths


@pytest.fixture(scope="module")
def decks(small_experiment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("decks")
    small_experiment.compile(folder)
    return folder


def test_simulate_and_compare_without_ngspice(warm_shell, decks):
    nothing = {"COSIM_NGSPICE": "/nonexistent", "PATH": "/nonexistent"}
    told = warm_shell.succeeds("simulate", decks, "--fidelity", "behavioural", "--out", "waves", env=nothing)
    assert "waves/sine.parquet" in told
    waveforms = read_vectors(warm_shell.folder / "waves" / "sine.parquet")
    assert waveforms.names[:5] == ("time", "v(u0)", "v(ic0)", "v(sel)", "v(x0_p)")
    assert pd.read_parquet(warm_shell.folder / "waves" / "sine.parquet").attrs["fidelity"] == "behavioural"
    assert "sine" in warm_shell.succeeds("compare", decks, "--waveforms", "waves", env=nothing)
    again = warm_shell.succeeds("simulate", decks, "--fidelity", "behavioural", "--out", "waves", env=nothing)
    assert "done before" in again


def test_what_it_cannot_be_made_from_is_refused(warm_shell, decks):
    told = warm_shell.refuses("simulate", decks / "sine.cir", "--fidelity", "behavioural")
    assert "is not a folder" in told
    told = warm_shell.refuses("simulate", decks, "--fidelity", "macro")
    assert "cosim compile --fidelity" in told
    (decks.parent / "empty").mkdir(exist_ok=True)
    (decks.parent / "empty" / "a.cir").write_text("* a\n.end\n")
    told = warm_shell.refuses("simulate", decks.parent / "empty", "--fidelity", "behavioural")
    assert "manifest.json does not exist" in told
    assert "cosim compile" in told
    told = warm_shell.refuses("hp-programming", "--fidelity", "gate")
    assert "macro, flat-trimmed, behavioural" in told


def test_compile_at_another_time_scale(warm_shell):
    checkpoint = checkpoint_paths("current")[0]
    warm_shell.succeeds("compile", checkpoint, "--out", "decks", "--fidelity", "macro", "--time-scale", "0.01")
    manifest = read_manifest(warm_shell.folder / "decks")
    assert (manifest.scales.time, manifest.fidelity) == (0.01, "macro")
    # 10 Hz in model time; the sine starts with the integration
    assert " 1000.0 0.005)" in (warm_shell.folder / "decks" / "sine.cir").read_text()
    assert "above 0" in warm_shell.refuses("compile", checkpoint, "--out", "other", "--time-scale", "0")
