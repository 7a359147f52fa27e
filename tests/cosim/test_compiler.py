"""The compiler: what the board computes on paper, and what it refuses by name."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from circuits.array.crossbar import SIZE
from circuits.array.network import port_conductance
from circuits.array.programming import Programming
from circuits.stages.relu_tia import leakage
from cosim.compiler.clipping import check_clipping
from cosim.compiler.compile import compile_board
from cosim.compiler.options import Options
from cosim.compiler.resistors import e96_at_least, floor_digits
from cosim.compiler.scaling import Calibration, Ranges, Scales
from cosim.errors import ClippingError, CosimError, UnsupportedModelError
from cosim.problem.network import read_network


@pytest.fixture(scope="module")
def twin(small_experiment):
    e = small_experiment
    return compile_board(read_network(e.model, e.columns), e.calibration)


def paper_board(twin, u, x):
    """The compiled board evaluated with port conductances and ideal amplifiers; returns dx/dt in model units."""
    volts = np.array([u * twin.scales.inputs[0], x * twin.scales.states[0]])
    for layer in twin.layers:
        pairs = np.append(volts, twin.scales.bias) if layer.spec.bias else volts
        lines = np.stack([pairs, -pairs], axis=1).ravel()
        current = np.zeros(layer.spec.n_outputs)
        for one in layer.tiles:
            tile, padded = one.tile, np.zeros(SIZE)
            padded[: tile.n_lines] = lines[tile.lines]
            y = port_conductance(one.g, selected=np.arange(SIZE) < tile.n_outputs, wires=twin.options.wires,
                                 r_on=twin.options.transistor.on_resistance(),
                                 r_port=0.0 if len(layer.tiles) == 1 else twin.options.r_board)
            current[tile.outputs] += (y @ padded)[: tile.n_outputs]
        if layer.spec.relu:
            current = np.maximum(current - leakage(), 0)
        volts = layer.spec.r_f * current
    return volts * twin.scales.time / (twin.board.r_in * twin.board.c_int * twin.scales.states[0])


@pytest.mark.parametrize(("u", "x"), [(0.0, 0.0), (0.1, 0.3), (-0.04, 0.4), (0.05, -0.2)])
def test_the_board_on_paper_is_the_network(twin, small_model, u, x):
    expected = small_model(torch.tensor([u, x], dtype=torch.float64)).item()
    # rtol: conductances are stated with seven digits
    np.testing.assert_allclose(paper_board(twin, u, x), [expected], rtol=5e-6, atol=1e-7)


def test_linear_layers_in_a_row_and_no_bias(small_experiment):
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(2, 4, bias=False), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1)).double()
    twin = compile_board(read_network(model, ("u0", "x0")), small_experiment.calibration)
    for u, x in ((0.1, 0.3), (-0.04, -0.4)):
        expected = model(torch.tensor([u, x], dtype=torch.float64)).item()
        np.testing.assert_allclose(paper_board(twin, u, x), [expected], rtol=5e-6, atol=1e-7)


@pytest.mark.parametrize("widths", [(2, 33, 1), (2, 16, 1), (2, 40, 37, 1)])
def test_a_tiled_board_on_paper_is_the_network(small_experiment, widths):
    torch.manual_seed(4)
    model = nn.Sequential(*(m for pair in pairwise(widths) for m in (nn.Linear(*pair), nn.ReLU())))[:-1].double()
    twin = compile_board(read_network(model, ("u0", "x0")), small_experiment.calibration)
    assert sum(len(layer.tiles) for layer in twin.layers) > len(twin.layers)
    for u, x in ((0.1, 0.3), (-0.04, -0.4)):
        expected = model(torch.tensor([u, x], dtype=torch.float64)).item()
        np.testing.assert_allclose(paper_board(twin, u, x), [expected], rtol=2e-5, atol=1e-6)


def test_progress_is_told_of_layers_of_several_arrays(small_experiment):
    model, told = nn.Sequential(nn.Linear(2, 70), nn.ReLU(), nn.Linear(70, 200), nn.ReLU(), nn.Linear(200, 1)), []
    compile_board(read_network(model), small_experiment.calibration,
                  progress=lambda label, part: told.append((label.split(", r_f")[0], part)))
    hidden = [("hidden_1, 3 arrays", part) for part in (0.0, 1.0)]  # 70 rows
    second = [("hidden_2, 35 arrays", part) for part in (0.0, 16 / 35, 32 / 35, 1.0)]  # 200 rows, 142 bit lines
    # of a resistor that one array does not fit the others are not looked at, so what counts is how the last one ends
    assert [step for step in told if step[0].startswith("hidden_1")][-2:] == hidden
    assert [step for step in told if step[0].startswith("hidden_2")][-4:] == second
    assert {label for label, _ in told} == {"hidden_1, 3 arrays", "hidden_2, 35 arrays", "output, 13 arrays"}


def test_every_conductance_is_in_the_window_and_idle_cells_rest_at_g_min(twin):
    for layer in twin.layers:
        (one,) = layer.tiles
        assert one.g.min() == twin.options.window.g_min
        assert one.g.max() <= twin.options.window.g_max
        assert layer.unreached() == []
        assert (one.g[layer.spec.n_outputs :] == twin.options.window.g_min).all()


def test_scales_keep_calibrated_signals_inside_their_range(twin, small_experiment):
    c = small_experiment.calibration
    assert np.abs(c.inputs).max() * twin.scales.inputs[0] <= 0.2 / 1.25 * (1 + 1e-12)
    assert np.abs(c.states).max() * twin.scales.states[0] <= 0.2 / 1.25 * (1 + 1e-12)


def test_programming_error_moves_conductances_by_what_was_asked(small_experiment):
    e = small_experiment
    options = Options(programming=Programming(error=0.022, seed=1))
    noisy = compile_board(read_network(e.model, e.columns), e.calibration, options)
    exact = compile_board(read_network(e.model, e.columns), e.calibration)
    change = np.abs(noisy.layers[0].tiles[0].g / exact.layers[0].tiles[0].g - 1).mean()
    assert change == pytest.approx(0.022, abs=0.002)  # 1024 cells


@pytest.mark.parametrize(("model", "says"), [
    (nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)), "model takes 3 inputs, but there are 2 columns"),
    (nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2)), "model gives 2 derivatives for 1 states"),
    (nn.Sequential(nn.Linear(2, 4), nn.Sigmoid(), nn.Linear(4, 1)), "sigmoid .layer 1 .Sigmoid.. is no piecewise linear"),
])
def test_refuses_what_the_board_cannot_hold(small_experiment, model, says):
    with pytest.raises(UnsupportedModelError, match=says):
        compile_board(read_network(model, ("u0", "x0")), small_experiment.calibration)


def test_refuses_columns_that_do_not_name_the_signals(small_experiment):
    with pytest.raises(UnsupportedModelError, match="do not name every external input and state once"):
        compile_board(read_network(small_experiment.model, ("u1", "x0")), small_experiment.calibration)


def test_a_stimulus_that_clips_is_refused_with_stage_and_time(twin):
    times = np.array([0.0, 0.25])
    with pytest.raises(ClippingError, match=r"case big drives external input 0, line 0, past its .* V at t = 0\.25 s"):
        check_clipping(twin.network, twin.scales, np.array([[0.0], [9.0]]), np.zeros((2, 1)), times, "case big")


def test_an_off_neuron_of_two_stages_clips_where_its_first_amplifier_does():
    model = nn.Sequential(nn.Linear(1, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False)).double()
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0], [-100.0]]))  # -50 units at x = 0.5, 5 V
    scales = Scales(inputs=(), states=(0.1,), hidden=(0.1,), derivatives=(1.0,), bias=0.2, time=1.0)
    run = (read_network(model), scales, np.empty((1, 0)), np.array([[0.5]]), np.zeros(1), "case off")
    check_clipping(*run)
    with pytest.raises(ClippingError, match="case off drives the first amplifiers of hidden layer 1, line 1, .* to 5.000 V"):
        check_clipping(*run, two_stage=True)


def test_a_calibration_has_samples():
    with pytest.raises(CosimError, match="no samples"):
        Calibration(inputs=np.empty((0, 1)), states=np.empty((0, 1)))


def test_a_calibration_of_lists_or_tensors_is_one_of_arrays(small_experiment):
    given = small_experiment.calibration
    for kind in (np.ndarray.tolist, torch.from_numpy):
        same = Calibration(inputs=kind(given.inputs), states=kind(given.states))
        assert np.array_equal(same.inputs, given.inputs)
        assert np.array_equal(same.states, given.states)


def test_calibration_must_be_finite():
    with pytest.raises(CosimError, match="finite"):
        Calibration(inputs=np.full((3, 1), np.nan), states=np.zeros((3, 1)))


def test_ranges_refuse_a_line_past_the_clamp():
    with pytest.raises(CosimError, match="clamp"):
        Ranges(line=0.6)


@pytest.mark.parametrize(("wanted", "value"), [(10e3, 10e3), (10.01e3, 10.2e3), (976.5, 1000.0), (931e3, 931e3), (9.77, 10.0)])
def test_e96(wanted, value):
    assert e96_at_least(wanted) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("value", "down"), [(0.32099, 0.32), (0.321, 0.321), (1234.0, 1230.0), (9.999e-5, 9.99e-5)])
def test_floor_digits(value, down):
    assert floor_digits(value) == pytest.approx(down, rel=1e-12)


def test_a_macromodel_of_memristors_that_are_not_linear_is_refused():
    with pytest.raises(CosimError, match=r"kappa = 1\.0 1/V makes the cells nonlinear"):
        Options(kappa=1.0, fidelity="macro")


@pytest.mark.parametrize(("option", "says"), [({"fidelity": "gate"}, "a deck is flat or macro"),
                                              ({"time_scale": 0.0}, "above 0")])
def test_options_refuse_nonsense(option, says):
    with pytest.raises(CosimError, match=says):
        Options(**option)
