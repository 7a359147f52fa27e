"""`cosim compare`: only a deck's own waveforms, and nothing that left its range without a word."""

import re
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from cosim.behavioural.simulation import folder_key
from cosim.compiler.options import Options
from cosim.folder.manifest import read_manifest
from cosim.simulation.decks import deck_key
from cosim.store.files import read_frame, write_frame

MACRO = Options(fidelity="macro", all_cells=False)


@pytest.fixture
def simulated(warm_shell, small_experiment):
    """Folder of decks, and its waveform by the behavioural model."""
    folder = warm_shell.folder / "decks"
    small_experiment.compile(folder, MACRO)
    warm_shell.succeeds("simulate", folder, "--fidelity", "behavioural", "--out", "waves")
    return folder, warm_shell.folder / "waves" / "sine.parquet"


def test_a_waveform_of_another_deck_is_refused(warm_shell, simulated, small_experiment):
    folder, path = simulated
    assert "sine" in warm_shell.succeeds("compare", folder, "--waveforms", "waves")
    other = deepcopy(small_experiment.model)
    with torch.no_grad():
        other[0].weight *= 0.9
    replace(small_experiment, model=other).compile(folder, MACRO)
    said = warm_shell.refuses("compare", folder, "--waveforms", "waves")
    assert "waves/sine.parquet was not simulated from" in said
    assert said.endswith("run `cosim simulate` again")
    assert path.is_file()


def test_without_ngspice_a_waveform_is_not_called_one_of_another_deck(warm_shell, simulated):
    folder, path = simulated
    words, missing = ("compare", folder, "--waveforms", "waves"), {"COSIM_NGSPICE": "/none"}
    assert "sine" in warm_shell.succeeds(*words, env=missing)  # the behavioural model's, which no engine made
    frame = read_frame(path)
    frame.attrs = {}
    write_frame(path, frame, deck_key(folder / "sine.cir"))
    assert "sine" in warm_shell.succeeds(*words)
    said = warm_shell.refuses(*words, env=missing)
    assert "cannot be told without the ngspice that did it; COSIM_NGSPICE=/none is not an executable file" in said
    assert "run .ci/install-ngspice" in said


def test_a_line_that_left_its_range_is_told_with_its_time(warm_shell, simulated):
    folder, path = simulated
    frame, start = read_frame(path), read_manifest(folder).start
    key, time = frame.attrs.pop("key"), frame.iloc[:, 0]
    assert "left its linear range" not in warm_shell.succeeds("compare", folder, "--waveforms", "waves")
    frame.loc[time > start + 0.03, "v(xboard.h1_3_p)"] = 0.61
    write_frame(path, frame, key)
    first = time[time > start + 0.03].iloc[0]
    said = warm_shell.succeeds("compare", folder, "--waveforms", "waves", "--allow-clamp-hits")
    found = re.search(r"range: sine: hidden layer 1, neuron 3 reached 0\.610 V, first past its limit at (\S+) s", said)
    assert float(found[1]) == pytest.approx(first, rel=1e-5)
    said = warm_shell.fails("compare", folder, "--waveforms", "waves")
    assert "sine: hidden layer 1, neuron 3 left its linear range, 0.610 V first at" in said


def test_a_solution_at_rest_has_absolute_errors_only(warm_shell, small_experiment):
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    case = replace(small_experiment.cases[0], initial=(0.0,))
    folder = warm_shell.folder / "decks"
    replace(small_experiment, model=net, cases=(case,)).compile(folder, MACRO)
    manifest, path = read_manifest(folder), warm_shell.folder / "waves" / "sine.parquet"
    warm_shell.succeeds("simulate", folder, "--fidelity", "behavioural", "--out", "waves")
    frame = read_frame(path)
    frame.attrs = {}
    frame["v(x0_p)"] = np.full(len(frame), 0.01 * manifest.scales.states[0])
    write_frame(path, frame, folder_key(folder))
    told = warm_shell.succeeds("compare", folder, "--waveforms", "waves")
    assert "torch is 0" in told
    assert told.count("1.000e-02") == 2  # mean and root mean square of 0.01


def test_scales_that_are_no_scales_are_a_damaged_manifest(warm_shell, simulated):
    folder, _ = simulated
    manifest = folder / "manifest.json"
    whole = manifest.read_text()
    for bad in ('"abc"', "-5"):
        manifest.write_text(re.sub(r'"state": [0-9.e-]+', f'"state": {bad}', whole, count=1))
        assert "manifest.json is damaged" in warm_shell.refuses("compare", folder, "--waveforms", "waves")
