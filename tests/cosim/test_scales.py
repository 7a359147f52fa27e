"""Units of states and of time: a system in other units is the same board, and what a board cannot follow is said."""

import warnings
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from circuits.array.select_transistor import SelectTransistor
from circuits.array.window import Window
from circuits.array.wires import Wires
from circuits.board import nets
from cosim import Calibration, Case, Experiment, Options, Sine, compare, compile_network, load, simulate
from cosim.compiler.compile import compile_board
from cosim.compiler.scaling import Ranges, calibrate
from cosim.compiler.time_scale import measure_time_scale
from cosim.errors import CosimWarning, MappingError
from cosim.problem.network import read_network
from cosim.simulation.expected import hidden_volts

MACRO = Options(fidelity="macro")


def oscillator(units=(1.0, 1.0), second=1.0):
    """A driven oscillator of 12 neurons, its states in other units and its time in another second; exactly the same system."""
    torch.manual_seed(4)
    first, last = nn.Linear(3, 12), nn.Linear(12, 2)
    with torch.no_grad():
        last.weight *= 0.5
    rng = np.random.default_rng(0)
    samples = rng.uniform(-1, 1, (400, 3))
    scale = torch.tensor([1.0, *units])
    with torch.no_grad():
        # x' = v - 0.4 x + small network, v' = u - x - 0.4 v + small network: the linear part through two pairs of neurons
        weights = torch.cat([first.weight * 0.3, torch.eye(3), -torch.eye(3)])
        biases = torch.cat([first.bias * 0.3, torch.zeros(6)])
        linear = torch.tensor([[0.0, -0.4, 1.0], [1.0, -1.0, -0.4]])
        outward = torch.cat([0.3 * last.weight, linear, -linear], dim=1)
        inner, outer = nn.Linear(3, 18, dtype=torch.float64), nn.Linear(18, 2, dtype=torch.float64)
        inner.weight.copy_(weights / scale)
        inner.bias.copy_(biases)
        outer.weight.copy_(outward * scale[1:, None] / second)
        outer.bias.copy_(0.3 * last.bias * scale[1:] / second)
    states = samples[:, 1:] * np.array(units)
    push = Sine(amplitude=0.5, bias=0.0, period=5.0 * second)
    case = Case(name="driven", stimuli=(push,), duration=8.0 * second, samples=161, initial=tuple(0.4 * u for u in units))
    return Experiment(subject="oscillator", model=nn.Sequential(inner, nn.ReLU(), outer), columns=("u0", "x0", "x1"),
                      calibration=Calibration(inputs=samples[:, :1], states=states), cases=(case,))


def circuit_error(experiment, folder, options=MACRO):
    frame = compare(simulate(compile_network(experiment, folder, options), fidelity="behavioural")).to_frame()
    return frame[["mre", "max_error"]].to_numpy()


@pytest.fixture(scope="module")
def natural(tmp_path_factory):
    return circuit_error(oscillator(), tmp_path_factory.mktemp("natural"))


def test_the_natural_system_is_followed(natural):
    assert natural.max() < 5e-3


@pytest.mark.parametrize("ratio", [30, 300, 1000, 1e6])
def test_the_units_of_a_state_do_not_matter(tmp_path, natural, ratio):
    got = circuit_error(oscillator(units=(ratio, 1.0)), tmp_path)
    assert (got < 1.5 * natural).all()
    assert (natural < 1.5 * got).all()


def uneven(experiment, decades=1.5, layers=(0, 2)):
    """The same network, each neuron times a number of its own and what it feeds divided by it."""
    model = deepcopy(experiment.model)
    first, last = (model[place] for place in layers)
    with torch.no_grad():
        factors = 10.0 ** torch.from_numpy(np.random.default_rng(1).uniform(-decades, decades, first.out_features))
        first.weight.mul_(factors[:, None])
        first.bias.mul_(factors)
        last.weight.div_(factors)
    return replace(experiment, model=model)


def test_neurons_of_uneven_size_are_given_scales_of_their_own(tmp_path, natural):
    with pytest.warns(CosimWarning, match="hidden neurons have scales of their own"):
        got = circuit_error(uneven(oscillator()), tmp_path)
    assert (got < 3 * natural).all()  # with one scale for the layer it is a hundred times as much
    board = load(tmp_path)
    volts = hidden_volts(board, board.cases["driven"])
    assert board.manifest.scales.neurons[0].shape == (18,)
    assert all(layer.max() < 0.2 for layer in volts)
    waveforms = simulate(board).waveforms("driven")  # ngspice on the macro deck
    times = board.manifest.start + board.cases["driven"].times
    for k in range(18):
        line = np.interp(times, waveforms.time, waveforms[nets.hidden_vector(1, k)])
        assert np.abs(line - volts[0][:, k])[1:].max() < 5e-3, k


def test_even_neurons_keep_one_scale_a_layer(small_experiment):
    assert compile_board(small_experiment.read(), small_experiment.calibration).scales.neurons[0].shape == ()


def test_dead_neurons_do_not_matter_to_the_others():
    given = uneven(oscillator())
    with torch.no_grad():
        given.model[0].weight[5] = 0.0
        given.model[0].bias[5] = -1e-3
    scales = calibrate(given.read(), given.calibration, Ranges(), 1.0, Window())
    assert np.isfinite(scales.neurons[0]).all() and (scales.neurons[0] > 0).all()
    assert np.ptp(np.log10(scales.neurons[0])) > 1.5


@pytest.mark.parametrize("second", [1e-6, 3600.0], ids=["microseconds", "hours"])
def test_auto_finds_the_time_scale(tmp_path, natural, second):
    with pytest.warns(CosimWarning, match=r"time_scale = \S+ circuit seconds per model second: the network's fastest rate is"):
        got = circuit_error(oscillator(second=second), tmp_path, Options(fidelity="macro", time_scale="auto"))
    assert got.max() < 2 * natural.max()


def test_what_is_too_fast_is_refused_with_the_figure_that_fits():
    experiment = oscillator(second=1e-6)
    limits = measure_time_scale(experiment.read(), experiment.calibration)
    with pytest.raises(MappingError, match=rf"too fast for any board.*time_scale={limits.fitting:g} fits") as refused:
        compile_board(experiment.read(), experiment.calibration, MACRO)
    assert "--time-scale auto" in str(refused.value)
    assert not compile_board(experiment.read(), experiment.calibration, Options(time_scale=limits.fitting)).notes


def test_what_is_too_slow_is_refused_with_the_figure_that_fits():
    # at 1e6 model seconds a turn the derivatives' resistors would be of less than an ohm
    experiment = oscillator(second=1e6)
    limits = measure_time_scale(experiment.read(), experiment.calibration)
    with pytest.raises(MappingError, match=rf"too slow for any board.*time_scale={limits.fitting:g} fits"):
        compile_board(experiment.read(), experiment.calibration, MACRO)
    assert not compile_board(experiment.read(), experiment.calibration, Options(time_scale=limits.fitting)).notes


def test_what_is_slow_is_compiled_and_said():
    experiment = oscillator(second=3600.0)
    twin = compile_board(experiment.read(), experiment.calibration, MACRO)
    assert any("is slow: integrators of" in note for note in twin.notes)


def test_the_rate_is_the_fastest_thing_that_a_state_does():
    """The magnitude of the eigenvalues -3 +- 10i, or how fast a state of size 1 is driven: at most 3 + 10."""
    model = nn.Linear(2, 2).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[-3.0, 10.0], [-10.0, -3.0]]))
        model.bias.zero_()
    states = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    limits = measure_time_scale(read_network(model, ("x0", "x1")), Calibration(inputs=states[:, :0], states=states))
    assert np.hypot(3, 10) <= limits.rate <= 13.5
    slow = states * [1.0, 1e-3]  # the second state hardly moves: in its own units the first pushes it the more
    assert measure_time_scale(read_network(model, ("x0", "x1")), Calibration(inputs=slow[:, :0], states=slow)).rate > 5000


def chain(first, out=1):
    return nn.Sequential(nn.Linear(first, 32), nn.ReLU(), nn.Linear(32, out)).double()


def calibrated(columns, seed=0):
    samples = np.random.default_rng(seed).uniform(-1, 1, (200, columns))
    return Calibration(inputs=samples[:, :-1], states=samples[:, -1:])


@pytest.mark.parametrize("options", [Options(wires=Wires(resistance=8.0)), Options(transistor=SelectTransistor(width=1e-6))],
                         ids=["8 ohm wires", "1 um transistors"])
def test_resistive_arrays_settle_and_name_what_they_do_not_reach(options):
    torch.manual_seed(0)
    twin = compile_board(read_network(chain(15)), calibrated(15), options)
    short = sum(len(layer.unreached()) for layer in twin.layers)
    assert (short > 0) == any("are not reached" in note for note in twin.notes)


def test_weights_that_stay_short_are_said_by_the_api():
    model = chain(15)
    for parameter in model.parameters():
        parameter.data.fill_(1.0)
    twin = compile_board(read_network(model), calibrated(15), Options(wires=Wires(resistance=20.0)))
    assert any(note.startswith("layer hidden_1: 500 of 512 weights are not reached") for note in twin.notes)


def test_a_weight_below_a_decks_digits_is_named():
    model = nn.Linear(2, 1, bias=False).double()
    model.weight.data = torch.tensor([[1.0, 4e-8]], dtype=torch.float64)
    twin = compile_board(read_network(model), calibrated(2))
    (note,) = [note for note in twin.notes if "so small beside the largest" in note]
    assert note.startswith("layer output: 1 of 2 weights")
    assert "output 0, input 1" in note


def test_a_dead_layer_compiles():
    torch.manual_seed(0)
    model = chain(2)
    for parameter in (model[0].weight, model[0].bias, model[2].bias):
        parameter.data.zero_()
    model[2].bias.data.fill_(1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert compile_board(read_network(model), calibrated(2)).board.r_in > 0
