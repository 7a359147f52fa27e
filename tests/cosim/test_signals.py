"""Signals that people bring: in a case, in the manifest and its files, in the deck, in a corner's folder."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from circuits.corners.corner import CORNERS
from circuits.engine.door.guard import check_deck
from circuits.netlist.inspection import inspect_deck
from cosim import Calibration, Case, CosimError, Experiment, Options, compare, compile_network, load, simulate
from cosim.errors import ResultsError
from cosim.folder.manifest import read_manifest
from cosim.problem.reference import reference
from cosim.studies.corners.folder import write_corner_folder
from training.stimuli import (
    Chirp,
    Constant,
    Function,
    Noise,
    PulseTrain,
    Ramp,
    Rectangular,
    Sampled,
    Sine,
    Step,
    Stimulus,
    Triangular,
)

MACRO = Options(fidelity="macro", all_cells=False)
TIMES = np.linspace(0, 1, 101)  # s, as read from a CSV
MEASURED = 0.9 * np.sin(7 * TIMES) * np.exp(-TIMES) + 0.1 * np.cos(40 * TIMES)


def follower():
    """dx/dt = u - x, as a ReLU network: the state follows the input with a time constant of 1 s."""
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
        net[2].weight.copy_(torch.tensor([[1.0, -1.0]]))
        net[0].bias.zero_()
        net[2].bias.zero_()
    return net


def experiment(*stimuli, **how):
    rng = np.random.default_rng(0)
    calibration = Calibration(inputs=rng.uniform(-1.2, 1.2, (400, 1)), states=rng.uniform(-1, 1, (400, 1)))
    cases = tuple(Case(name=f"run{k}" if k else "run", stimuli=(stimulus,), initial=(0.2,), duration=1.0, samples=101)
                  for k, stimulus in enumerate(stimuli))
    return Experiment(subject="signals", model=follower(), columns=("u0", "x0"), calibration=calibration, cases=cases, **how)


def followed(values):
    """x(t) of dx/dt = u - x from 0.2, by the trapezoidal rule on a grid of 20 001 points, at the case's 101."""
    fine = np.linspace(0, 1, 20001)
    u, step = values(fine), fine[1]
    x = [0.2]
    for k in range(len(fine) - 1):
        x.append((x[-1] * (1 - step / 2) + step / 2 * (u[k] + u[k + 1])) / (1 + step / 2))
    return np.array(x)[::200]


class Decaying(Sine):
    """A subclass of a kind that changes its value and its source; the name is inherited."""

    def _value(self, t):
        return self.bias + self.amplitude * np.exp(-t / 0.3) * np.sin(self._omega * t)

    def spice_sources(self, volts_per_unit, delay, t_stop):
        numbers = (self.bias * volts_per_unit, self.amplitude * volts_per_unit, 1 / self.period, delay, 1 / 0.3)
        return (f"sin({' '.join(map(repr, numbers))})",)


@dataclass(frozen=True, kw_only=True)
class OwnSampled(Stimulus):
    """A stimulus of one's own, with all that the sources need."""

    times: tuple
    values: tuple
    name = "sampled"

    def _value(self, t):
        return np.interp(t, self.times, self.values)

    def breakpoints(self, t_stop):
        return np.array([t for t in self.times if 0 < t < t_stop])


BROUGHT = {  # what is given -> its value over time, written down independently
    "array": (np.stack([TIMES, MEASURED], 1), lambda t: np.interp(t, TIMES, MEASURED)),
    "pair": ((TIMES, MEASURED), lambda t: np.interp(t, TIMES, MEASURED)),
    "series": (pd.Series(MEASURED, index=TIMES), lambda t: np.interp(t, TIMES, MEASURED)),
    "function": (lambda t: np.interp(t, TIMES, MEASURED), lambda t: np.interp(t, TIMES, MEASURED)),
    "own stimulus": (OwnSampled(times=tuple(TIMES.tolist()), values=tuple(MEASURED.tolist())),
                     lambda t: np.interp(t, TIMES, MEASURED)),
    "subclass of sine": (Decaying(amplitude=1.0, bias=0.0, period=0.5), lambda t: np.exp(-t / 0.3) * np.sin(4 * np.pi * t)),
    "constant": (0.7, lambda t: 0.7 + 0 * t),
    "ramp": (Ramp(slope=1.0), lambda t: t),
    "step": (Step(time=0.5, rise=1e-3), lambda t: np.interp(t, [0.5, 0.501], [0.0, 1.0])),
    "plain sine": (Sine(amplitude=1.0, bias=0.0, period=0.5), lambda t: np.sin(4 * np.pi * t)),
}


@pytest.mark.parametrize("kind", BROUGHT)
def test_what_people_bring_works_end_to_end(kind, tmp_path):
    """Compiled, read back, simulated by ngspice, compared: the circuit follows what was given."""
    given, values = BROUGHT[kind]
    compiled = compile_network(experiment(given), tmp_path, MACRO)
    comparison = compare(simulate(load(tmp_path)))
    (case,) = comparison.cases
    expected = followed(values)
    # model units: 1e-4 of the range that sampling may be off, and the trapezoidal rule's 1e-7 with the fine grid
    np.testing.assert_allclose(case.reference[:, 0], expected, rtol=0, atol=1.5e-4)
    # the circuit's own error on this network is 1e-3 of full scale
    np.testing.assert_allclose(case.twin[:, 0], expected, rtol=0, atol=3e-3)
    assert np.ptp(expected) > 0.1
    assert compiled.cases == load(tmp_path).cases


EVERY = {
    "measured": Sampled(times=TIMES, values=MEASURED),
    "short": Sampled(times=[0.0, 0.3, 1.0], values=[0.0, 1.0, -1.0], source="by hand"),
    "held": Sampled.at_rate(MEASURED, rate=50.0, interpolation="hold", edge=1e-3),
    "last_held": Sampled(times=TIMES[:40], values=MEASURED[:40], hold_last=True),
    "thinned": Sampled(times=TIMES, values=MEASURED).thinned(0.01),
    "constant": Constant(value=0.3),
    "step": Step(before=0.1, after=-0.4, time=0.2, rise=0.01),
    "ramp": Ramp(slope=0.5, begin=0.1, end=0.9),
    "endless": Ramp(slope=0.5),
    "pulses": PulseTrain(rise=0.01, fall=0.02, width=0.1, period=0.2, delay=0.05),
    "chirp": Chirp(amplitude=0.5, start=1.0, stop=9.0, sweep=0.8),
    "noise": Noise(density=1e-3, bandwidth=30.0, seed=4),
    "function": Function(lambda t: np.sin(9 * t) / (1 + t), error=1e-3),
    "sum": Sine(amplitude=0.3, bias=0.0) + Sampled(times=TIMES, values=MEASURED) * 0.5 + 0.1,
    "product": Sine(amplitude=0.3) * Ramp(slope=1.0),
    "scaled_sum": -0.5 * (Sine() + Sampled(times=TIMES, values=MEASURED)),
    "numpy_numbers": Sine(amplitude=np.float32(0.25), bias=np.int64(0), period=np.float64(0.5)),
    "triangle": Triangular(period=0.3),
    "rectangle": Rectangular(period=0.3),
}


@pytest.fixture(scope="module")
def all_kinds(tmp_path_factory):
    """A folder with one case per kind, and the experiment."""
    cases = tuple(Case(name=name, stimuli=(stimulus,), initial=(0.2,), duration=1.0, samples=101)
                  for name, stimulus in EVERY.items())
    given = replace(experiment(0.0), cases=cases)
    folder = tmp_path_factory.mktemp("kinds")
    compile_network(given, folder, MACRO)
    return given, folder


def test_every_kind_comes_back_from_the_manifest_as_it_was(all_kinds):
    given, folder = all_kinds
    cases = read_manifest(folder).cases
    for case in given.cases:
        assert cases[case.name] == case
        assert hash(cases[case.name]) == hash(case)
        times = np.linspace(0, 1, 5001)
        np.testing.assert_array_equal(cases[case.name].inputs(times), case.inputs(times))


def test_long_records_are_files_and_short_ones_are_fields(all_kinds):
    _, folder = all_kinds
    entries = {case["name"]: case["stimuli"][0] for case in json.loads((folder / "manifest.json").read_text())["cases"]}
    assert entries["short"] == {"name": "sampled", "times": [0.0, 0.3, 1.0], "values": [0.0, 1.0, -1.0],
                                "interpolation": "linear", "edge": None, "hold_last": False, "error": 0.0, "source": "by hand"}
    measured = entries["measured"]
    assert (measured["file"], measured["samples"]) == ("signals/measured_u0.npz", 101)
    assert measured["sha256"] == hashlib.sha256((folder / measured["file"]).read_bytes()).hexdigest()
    with np.load(folder / measured["file"]) as arrays:
        np.testing.assert_array_equal(arrays["times"], TIMES)
        np.testing.assert_array_equal(arrays["values"], MEASURED)
    assert entries["sum"]["stimuli"][1]["stimulus"]["file"] == "signals/sum_u0_1.npz"
    assert entries["numpy_numbers"] == {"name": "sine", "amplitude": 0.25, "bias": 0, "period": 0.5}
    assert entries["function"]["source"] == "function <lambda>"
    assert 0 < entries["function"]["error"] < 1e-3 * 2


def test_the_same_experiment_gives_the_same_bytes(all_kinds, tmp_path, contents):
    given, folder = all_kinds
    compile_network(given, tmp_path, MACRO)
    assert contents(tmp_path) == contents(folder)


def test_long_sources_stand_beside_the_deck_one_point_a_line(all_kinds):
    _, folder = all_kinds
    deck, source = (folder / "noise.cir").read_text(), (folder / "signals" / "noise_u0.inc").read_text()
    assert "* v_u0: V, external input 0\n.include signals/noise_u0.inc\n" in deck
    assert max(map(len, deck.splitlines())) <= 128
    head, element, *points, end = source.splitlines()
    assert head == f"* V, external input 0, {len(points)} points: time [s], voltage [V]"
    assert (element, end) == ("v_u0 u0 0 pwl(", "+ )")
    volts = load(folder).manifest.scales.inputs[0]
    at, values = np.array([point.split()[1:] for point in points], dtype=float).T
    np.testing.assert_allclose(values[1:], volts * EVERY["noise"](at[1:] - 5e-3), rtol=0, atol=1e-12)  # V
    assert "pwl(0.0 " in (folder / "short.cir").read_text()  # a short one stays where it is read
    assert check_deck(folder / "noise.cir")[-1].relative == "signals/noise_u0.inc"
    assert inspect_deck(folder / "noise.cir").devices["v"] == 6  # two supplies, reference, control, initial value, input


def test_a_changed_or_missing_file_of_samples_is_told(all_kinds, tmp_path):
    _, folder = all_kinds
    for path in folder.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    file = tmp_path / "signals" / "measured_u0.npz"
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(ResultsError, match=r"measured_u0.npz is not the file that the decks were compiled with; compile again"):
        load(tmp_path)
    file.unlink()
    with pytest.raises(ResultsError, match=r"measured_u0.npz is missing or damaged .*; compile again"):
        load(tmp_path)


@pytest.mark.parametrize(("change", "says"), [
    (lambda s: s.update(file="../secret.npz"), r"damaged .*'../secret.npz' is no name of a file of arrays"),
    (lambda s: s.update(samples=3), "samples are not as many as the file holds"),
    (lambda s: s.pop("sha256"), "KeyError: 'sha256'"),
    (lambda s: s.update(interpolation="cubic"), "interpolation 'cubic'"),
    (lambda s: s.update(name="function"), "TypeError"),
])
def test_a_damaged_entry_is_told(all_kinds, tmp_path, change, says):
    _, folder = all_kinds
    content = json.loads((folder / "manifest.json").read_text())
    change(content["cases"][0]["stimuli"][0])
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    (tmp_path / "signals").mkdir()
    for path in (folder / "signals").glob("*.npz"):
        (tmp_path / "signals" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ResultsError, match=says):
        read_manifest(tmp_path)


def test_what_is_no_longer_wanted_goes_with_its_case(tmp_path):
    noise = Noise(density=1e-3, bandwidth=100.0, seed=1)
    compile_network(experiment(noise, 0.3, truth={"run1": np.zeros(101)}), tmp_path, MACRO)
    files = {"run.cir", "run1.cir", "signals/run_u0.inc", "signals/run_u0.npz", "truth/run1.npz"}
    assert all((tmp_path / name).is_file() for name in files)
    (tmp_path / "signals" / "notes.txt").write_text("mine")
    compile_network(experiment(0.5), tmp_path, MACRO)
    assert {name for name in files if (tmp_path / name).is_file()} == {"run.cir"}
    assert (tmp_path / "signals" / "notes.txt").read_text() == "mine"


def test_a_corner_has_the_same_signals_and_truth(tmp_path):
    given = experiment(Noise(density=1e-3, bandwidth=100.0, seed=1), truth={"run": np.linspace(0.2, 0.3, 101)})
    nominal = compile_network(given, tmp_path / "nominal", MACRO)
    write_corner_folder(nominal.manifest, tmp_path / "hot", CORNERS["hot"])
    hot = load(tmp_path / "hot")
    assert hot.cases == nominal.cases
    np.testing.assert_array_equal(hot.truth("run"), nominal.truth("run"))
    source = "signals/run_u0.inc"
    assert (tmp_path / "hot" / source).read_bytes() == (tmp_path / "nominal" / source).read_bytes()
    assert check_deck(tmp_path / "hot" / "run.cir")[-1].relative == source


@pytest.mark.parametrize(("stimuli", "duration", "says"), [
    (("drive.csv",), 1.0, r"case a: stimuli\[0\]: 'drive.csv' is a name; read a file with Sampled.from_file"),
    ((Sine(), None), 1.0, r"case a: stimuli\[1\]: NoneType is no stimulus; give a Stimulus"),
    (Sine(), 1.0, r"case a: stimuli is a Sine; give a tuple with one per external input"),
    (3.0, 1.0, r"case a: stimuli is a float; give a tuple"),
    (((TIMES, MEASURED),), 1.5, r"case a: stimuli\[0\]: sampled: the last of its 101 samples is at 1 s, and it must last"),
    ((lambda t: np.nan,), 1.0, r"case a: stimuli\[0\]: function <lambda> gives nan at t = 0 s"),
    ((Sine(period=1.0),), 1e9, r"stimuli\[0\], sine, has to be looked at 9.6e\+10 times in 1e\+09 s, more than the 200000"),
    ((PulseTrain(rise=1e-7, fall=1e-7, width=1e-7, period=1e-6),), 1.0, r"pulse_train, has to be looked at 4e\+06 times"),
    ((Sampled.at_rate(np.sin(np.arange(300_000)), rate=300_000.0, hold_last=True),), 1.0,
     r"sampled, has to be looked at 3e\+05 times in 1 s, .*thin the samples"),
])
def test_a_stimulus_that_does_not_work_is_refused_with_its_place(stimuli, duration, says):
    with pytest.raises(CosimError, match=says):
        Case(name="a", stimuli=stimuli, initial=(0.1,), duration=duration)


def test_peaks_between_the_samples_of_the_grid_are_seen():
    """A spike of 10 ms between two of 11 grid points drives the input's line past its limit: it is seen for every kind."""
    spike = ([0.0, 0.545, 0.55, 0.555, 1.0], [0.0, 0.0, 9.0, 0.0, 0.0])
    pulse = PulseTrain(high=9.0, delay=0.545, rise=0.002, fall=0.002, width=0.002, period=1.0)
    for stimulus in (spike, pulse, pulse + 0.0, Step(after=9.0, time=0.9991, rise=0.0005)):
        case = Case(name="a", stimuli=(stimulus,), initial=(0.0,), duration=1.0, samples=11)
        assert case.inputs(case.fine_times).max() == pytest.approx(9.0, rel=1e-9)


def test_a_case_is_a_key_by_its_content():
    net = experiment(0.0).read()

    def driven(values):
        return Case(name="a", stimuli=((TIMES, values),), initial=(0.1,), duration=1.0, samples=11)

    first = driven(MEASURED.copy())
    assert reference(net, first) is reference(net, driven(MEASURED.copy()))
    other = MEASURED.copy()
    other[50] += 1e-3
    changed = driven(other)
    assert np.abs(reference(net, changed) - reference(net, first)).max() > 1e-6


def test_every_field_of_every_kind_is_in_the_reference(all_kinds):
    _, folder = all_kinds
    text = (Path(__file__).parents[2] / "docs" / "reference" / "manifest.md").read_text().partition("## Stimuli")[2]

    def words(fields):
        for name, value in fields.items():
            yield name
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, dict):
                    yield from words(inner)

    entries = [case["stimuli"][0] for case in json.loads((folder / "manifest.json").read_text())["cases"]]
    assert {entry["name"] for entry in entries} >= {"sampled", "sum", "scaled", "pulse_train", "ramp", "step", "constant"}
    assert [word for entry in entries for word in (entry["name"], *words(entry)) if f"`{word}`" not in text] == []
