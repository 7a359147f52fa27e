"""Whole diagnoses of boards that were made to err in one known way; what must come out stands before each run."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch import nn

from cosim import Calibration, Case, Experiment, Options, compare, compile_network, simulate
from cosim.behavioural.blueprint import blueprint_of
from cosim.behavioural.board import make_board
from cosim.behavioural.integrate import model_states, solve
from cosim.comparison.lag import measured_lag
from cosim.compiler.compile import compile_board
from cosim.compiler.scaling import Ranges
from cosim.diagnosis.advice import GOOD, advice, best_speed
from cosim.diagnosis.course import make_course
from cosim.diagnosis.idealised import without_crossover
from cosim.diagnosis.overdriven import overdriven
from cosim.diagnosis.shares import shares
from cosim.diagnosis.sources import errors
from cosim.diagnosis.sources import view as view_of
from cosim.problem.network import read_network
from cosim.problem.reference import reference

OMEGA = 2 * np.pi  # rad/s of the oscillator, a turn a model second
MACRO = {"fidelity": "macro", "all_cells": False}


def oscillator(turns=5.0, reach=1.0, initial=(1.0, 0.0), samples=501):
    """x0' = w x1, x1' = -w x0: cos and -sin for ever, of amplitude 1; calibrated up to ``reach``."""
    layer = nn.Linear(2, 2, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0, OMEGA], [-OMEGA, 0.0]]))
    angle = np.linspace(0.0, 2 * np.pi, 101)
    states = reach * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Experiment(subject="oscillator", model=nn.Sequential(layer), columns=("x0", "x1"),
                      calibration=Calibration(inputs=np.zeros((101, 0)), states=states),
                      cases=(Case(name="turns", stimuli=(), initial=initial, duration=turns, samples=samples),))


def diagnosed(experiment, folder, **options):
    board = compile_network(experiment, folder, Options(**MACRO, **options))
    comparison = compare(simulate(board, fidelity="behavioural"))
    (case,) = comparison.why.cases
    return comparison, case


def source(case, name):
    return next(share for share in (*case.shares.sources, *case.shares.static) if share.name == name)


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    """The oscillator at 3e-3 circuit seconds a model second, at which a lag of microseconds counts."""
    with pytest.warns(UserWarning, match="fast for this network"):
        return diagnosed(oscillator(), tmp_path_factory.mktemp("fast"), time_scale=3e-3)


def test_a_lag_in_the_loop_is_an_amplitude_error(fast):
    # x' = A x(t - lag) has the eigenvalues i w exp(-i w lag) = i w + w^2 lag: it grows at w^2 lag and keeps its pace
    comparison, case = fast
    run = comparison.cases[0].run
    lag = measured_lag(run.waveforms, run.compiled.manifest, run.compiled.cases["turns"], run.compiled.network)
    assert case.shares.lag == pytest.approx(lag, rel=0.1)  # measured_lag looks at the d nodes, before the integrators
    grown = OMEGA**2 * lag / 3e-3 * case.shares.window
    assert 0.01 < grown < 0.05
    assert case.shares.largest.name == "lag"
    assert source(case, "lag").alone == pytest.approx(grown, rel=0.15)
    assert source(case, "lag").share > 0.8
    assert abs(case.shares.left) < 0.05
    assert max(shift.amplitude for shift in case.shifts) > 0.9
    assert not case.amplification.amplifies
    assert case.amplification.growth == pytest.approx(1.0, abs=0.01)


def test_its_horizon_is_where_growth_reaches_two_percent(fast):
    _, case = fast
    rate = OMEGA**2 * case.shares.lag / 3e-3
    assert case.horizon.passed
    # the first crest of either state after 0.02 / rate, at most a quarter turn later
    assert 0.02 / rate - 0.05 < case.horizon.time < 0.02 / rate + 0.3


@pytest.mark.filterwarnings("ignore::cosim.errors.CosimWarning")
def test_what_it_says_to_change_is_true_when_it_is_followed(fast, tmp_path):
    _, case = fast
    best = best_speed(case)
    assert any(line.startswith("Compile with ") for line in advice(case))
    _, other = diagnosed(oscillator(), tmp_path / "slow", time_scale=best.time_scale, lead=best.lead)
    window = int(case.shares.window / other.course.step) + 1
    found = float(np.abs(other.course.error[:window]).max())
    assert found < 0.2 * case.shares.measured
    assert found == pytest.approx(best.largest, rel=0.2, abs=1e-5)  # of full scale; E96 and three digits of the scales


def relaxing():
    """Van der Pol's oscillator with mu = 5, which waits and jumps: a sum of ReLU of random directions, by least squares."""
    def field(x, v):
        return np.stack([v, 5.0 * (1 - x**2) * v - x], axis=-1)

    rng, run = np.random.default_rng(0), solve_ivp(lambda t, z: field(*z), (0, 40), [2.0, 0.0], max_step=5e-3).y.T
    z = np.concatenate([run, rng.uniform([-2.3, -8], [2.3, 8], (4000, 2))])
    size, width = np.array([2.0, 7.0]), 80
    turn = rng.uniform(0, 2 * np.pi, width)
    weight, bias = np.column_stack([np.cos(turn), np.sin(turn)]) / size, rng.uniform(-1.2, 1.2, width)
    features = np.column_stack([np.maximum(z @ weight.T + bias, 0), np.ones(len(z))])
    last = np.linalg.lstsq(features, field(*z.T), rcond=1e-6)[0].T
    net = nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, 2)).double()
    with torch.no_grad():
        for tensor, numbers in ((net[0].weight, weight), (net[0].bias, bias), (net[2].weight, last[:, :-1]),
                                (net[2].bias, last[:, -1])):
            tensor.copy_(torch.from_numpy(numbers.copy()))
    return Experiment(subject="van der Pol", model=net, columns=("x0", "x1"),
                      calibration=Calibration(inputs=np.zeros((len(run), 0)), states=run),
                      cases=(Case(name="jumps", stimuli=(), initial=(2.0, 0.0), duration=15.0, samples=501),))


@pytest.mark.filterwarnings("ignore::cosim.errors.CosimWarning")
def test_a_trim_is_proposed_where_it_helps_and_not_twice(tmp_path):
    errors_of = {}
    for trim in (False, True):
        _, case = diagnosed(relaxing(), tmp_path / str(trim), trim=trim)
        errors_of[trim] = case.largest_error
        assert any("--trim" in line for line in advice(case)) != trim
    assert errors_of[True] < errors_of[False] / 3


def test_conductances_one_percent_too_large_are_a_static_error_and_all_phase(tmp_path):
    # every weight 1 % larger: the oscillator turns 1 % faster, less what the select transistor's 143 ohm hold of it
    # (60 uS against 7 mS: 0.98 %); nothing grows
    experiment = oscillator()
    board = compile_network(experiment, tmp_path / "board", Options(**MACRO, time_scale=1.0))
    for file in (tmp_path / "board" / "conductances").glob("*.inc"):
        file.write_text(re.sub(r"(g_\w+\s*=\s*)([0-9.e-]+)", lambda m: f"{m[1]}{1.01 * float(m[2]):.7g}", file.read_text()))
    (case,) = compare(simulate(board, fidelity="behavioural")).why.cases
    assert case.shares.largest.name == "static"
    assert source(case, "static").share == pytest.approx(1.0, abs=0.05)
    assert max(case.shares.static, key=lambda share: share.alone).name == "conductances"
    assert min(shift.phase for shift in case.shifts) > 0.99
    for shift in case.shifts:
        assert shift.drift == pytest.approx(-0.0098, abs=4e-4)
    # 2 % of full scale is an angle of 0.02 rad, which 1 % of a turn a second makes in 0.02 / (0.0098 w) s
    assert case.horizon.time == pytest.approx(0.02 / (0.0098 * OMEGA), abs=0.25)


def on_paper(experiment, options, board=None):
    """A board that no folder holds: its course, its view and its compiled twin."""
    (case,) = experiment.cases
    twin = compile_board(experiment.read(), experiment.calibration, options)
    board = board or make_board(blueprint_of(twin))
    with torch.no_grad():
        states = model_states(board, solve(board, case, twin.scales), twin.scales)[:, 0].numpy()
    course = make_course(experiment.read(), case, twin.scales, reference(experiment.read(), case), states)
    return course, view_of(course, blueprint_of(twin)), twin


def test_a_state_scale_for_a_quarter_of_the_range_clips():
    # calibrated to 0.25: 0.2 V / 1.25 stand for 0.25, so amplitude 1 asks for 0.64 V, and clamps stop a line at about 0.6 V
    options = Options(**MACRO, time_scale=1.0)
    course, view, _ = on_paper(oscillator(turns=1.0, reach=0.25, samples=801), options)
    told = shares(course, view, len(course.times))
    assert told.largest.name == "clipping"
    assert told.largest.alone > 0.02
    found = {signal.name: signal for signal in overdriven(course, Ranges(), len(course.times))}
    assert found["state x0"].volts == pytest.approx(0.64, rel=0.02)
    assert found["state x0"].calibrated == pytest.approx(0.25, rel=0.01)
    assert found["state x0"].limit == 0.45
    # calibrate with samples that reach what is said: nothing clips
    reach = max(signal.reaches for name, signal in found.items() if name.startswith("state"))
    course, view, _ = on_paper(oscillator(turns=1.0, reach=reach, samples=801), options)
    told = shares(course, view, len(course.times))
    assert next(share for share in told.sources if share.name == "clipping").alone == 0
    assert list(overdriven(course, Ranges(), len(course.times))) == []


def crossing(samples=1501):
    """x0' = 20 relu(x1 - 0.1) - x0 with the oscillator in x1 and x2: one neuron turns on and off twice a turn."""
    first, last = nn.Linear(3, 5).double(), nn.Linear(5, 3, bias=False).double()
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[0, 1.0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]]))
        first.bias.copy_(torch.tensor([-0.1, 3.0, 3.0, 3.0, 1.0]))
        # shifted by 3 so that every other neuron is always on: x = relu(x + 3) - 3 relu(1)
        last.weight.copy_(torch.tensor([[4.0, 0, 0, -1, 3], [0, 0, OMEGA, 0, -3 * OMEGA], [0, -OMEGA, 0, 0, 3 * OMEGA]]))
    case = Case(name="turns", stimuli=(), initial=(1.0, 1.0, 0.0), duration=2.0, samples=samples)
    model = nn.Sequential(first, nn.ReLU(), last)
    states = reference(read_network(model), case)
    return Experiment(subject="crossing", model=model, columns=("x0", "x1", "x2"), cases=(case,),
                      calibration=Calibration(inputs=np.zeros((len(states), 0)), states=states))


def test_the_crossovers_share_is_what_a_board_without_crossover_does_not_have():
    # independent of Jacobian and telescoping: the same board is solved with and without crossover
    experiment, options = crossing(), Options(**MACRO, time_scale=0.1)
    course, view, twin = on_paper(experiment, options)
    sharp = without_crossover(make_board(blueprint_of(twin)))
    other, _, _ = on_paper(experiment, options, sharp)
    wanted = course.error - other.error
    found = errors(course, view.parts())["crossover"]
    assert np.abs(wanted).max() > 2e-4  # of full scale: there is something to explain
    np.testing.assert_allclose(found, wanted, atol=0.1 * np.abs(wanted).max())


def test_all_sources_together_are_the_error_of_the_solved_board():
    course, view, _ = on_paper(crossing(), Options(**MACRO, time_scale=0.1))
    total = sum(errors(course, view.parts()).values())
    np.testing.assert_allclose(total, course.error, atol=0.05 * np.abs(course.error).max())


def test_the_static_parts_are_the_static_source():
    _, view, _ = on_paper(crossing(), Options(**MACRO, time_scale=0.1))
    whole, parts = view.parts()["static"], view.static_parts()
    np.testing.assert_allclose(sum(part.slope for part in parts.values()), whole.slope, rtol=1e-9, atol=1e-12)  # 1/s


def test_a_system_that_amplifies_is_told_from_a_board_that_errs(tmp_path):
    # x' = 1.2 x from 0.05 to 1: exponent 1.2 exactly; what is wrong at the start is 20 times as large at the end, so that most
    # of the error is the system's
    layer = nn.Linear(1, 1).double()
    with torch.no_grad():
        layer.weight.fill_(1.2)
        layer.bias.fill_(0.0)
    duration = float(np.log(20) / 1.2)
    experiment = Experiment(subject="unstable", model=nn.Sequential(layer), columns=("x0",),
                            calibration=Calibration(inputs=np.zeros((51, 0)), states=np.linspace(0, 1, 51)[:, None]),
                            cases=(Case(name="run", stimuli=(), initial=(0.05,), duration=duration, samples=201),))
    comparison, case = diagnosed(experiment, tmp_path / "board", time_scale=1.0)
    assert case.amplification.exponent == pytest.approx(1.2, rel=1e-3)
    assert case.amplification.amplifies
    assert case.amplification.growth == pytest.approx(20, rel=0.01)
    assert case.shares.propagated > 0.5
    assert "The system itself amplifies: a small error grows e-fold in 0.833 model s" in comparison.why.text
    assert any("e-fold in 0.833 model s" in line for line in advice(case)) == (case.largest_error > GOOD)


def test_a_doctored_neuron_is_the_first_to_part_and_errs_by_itself(tmp_path):
    experiment = crossing(samples=401)
    board = compile_network(experiment, tmp_path / "board", Options(**MACRO, time_scale=1.0))
    comparison = compare(simulate(board, fidelity="behavioural"))
    run = comparison.cases[0].run
    waves, name = run.waveforms, "v(xboard.h1_2_p)"
    data = waves.data.copy()
    late = waves.scale > run.compiled.manifest.start + 0.7
    data[late, waves.names.index(name)] += 0.1 * np.abs(waves[name]).max()  # 10 % of its full scale from 0.7 model s on
    doctored = replace(comparison.cases[0], run=replace(run, waveforms=replace(waves, data=data)))
    (case,) = replace(comparison, cases=(doctored,)).why.cases
    assert (case.neurons.first, case.neurons.worst) == (name, name)
    assert case.neurons.time == pytest.approx(0.7, abs=0.01)
    assert case.neurons.error == pytest.approx(0.1, abs=0.01)


def test_a_good_board_is_told_to_stay_as_it_is(tmp_path):
    comparison, case = diagnosed(oscillator(turns=0.5), tmp_path / "board", time_scale=1.0)
    assert case.largest_error < GOOD
    assert not case.horizon.passed
    assert advice(case) == [f"Nothing needs a change: the largest error is {case.largest_error:.3%} of full scale."]
    assert "stays within 2% of full scale for the whole run of 0.5 model s" in comparison.why.text
    assert comparison.parted == []


def test_a_real_deck_is_told_the_same_as_its_behavioural_model(fast, tmp_path):
    # the lag is one of real amplifiers in ngspice; toggling puts volts on every line for a microsecond, which is no error
    _, expected = fast
    with pytest.warns(UserWarning, match="fast for this network"):
        board = compile_network(oscillator(), tmp_path / "board", Options(**MACRO, time_scale=3e-3))
    (case,) = compare(simulate(board)).why.cases
    assert case.shares.largest.name == "lag"
    assert abs(case.shares.left) < 0.1
    assert case.horizon.time == pytest.approx(expected.horizon.time, rel=0.05)
    assert case.neurons is None  # it has no hidden layer
    assert best_speed(case).largest < 0.2 * case.shares.measured


def test_neurons_of_a_real_deck(tmp_path):
    # at leisure every neuron is within a few parts in a thousand of its full scale, but for crossovers
    board = compile_network(crossing(samples=201), tmp_path / "board", Options(**MACRO, time_scale=1.0))
    (case,) = compare(simulate(board)).why.cases
    assert case.neurons.first == ""
    assert case.neurons.error < 0.02
    assert not case.horizon.passed
