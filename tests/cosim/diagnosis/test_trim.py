"""The trim on small boards: errors fall, scales and reference stay, and what cannot be trimmed is refused or left."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from circuits.array.programming import Programming
from cosim.behavioural.blueprint import blueprint_of
from cosim.behavioural.board import make_board
from cosim.behavioural.integrate import model_states, runs_from, solve
from cosim.behavioural.signal import Signal
from cosim.compiler.compile import compile_board
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.diagnosis.trim import trimmed_board
from cosim.errors import CosimError
from cosim.experiment import Experiment
from cosim.front_door import compare, compile_network, simulate
from cosim.problem.case import Case
from cosim.problem.network import read_network

SLOW = Options(time_scale=1.0)


@pytest.fixture(scope="module")
def problem():
    """2-8-8-2, autonomous, and samples of its states."""
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)).double()
    states = np.random.default_rng(0).uniform(-1.0, 1.0, (600, 2))
    return read_network(net), Calibration(inputs=np.empty((600, 0)), states=states)


@pytest.fixture(scope="module")
def boards(problem):
    return compile_board(*problem, SLOW), trimmed_board(*problem, SLOW)


def slope_error(problem, twin):
    """RMS error of the slopes at the calibration samples, part of full scale, per state."""
    network, calibration = problem
    none = torch.zeros(len(calibration.states), 0, dtype=torch.float64)
    with torch.no_grad():
        seen = make_board(blueprint_of(twin))(torch.as_tensor(calibration.states * twin.scales.state), Signal(none, none))
    lines = seen.states.numpy() / twin.scales.state
    wanted = network.derivative(calibration.inputs, lines)
    error = seen.slope.numpy() * twin.scales.time / twin.scales.state - wanted
    return np.sqrt(np.square(error).mean(axis=0)) / np.abs(wanted).max(axis=0)


def test_a_trimmed_board_is_nearer_to_its_network(problem, boards):
    plain, trimmed = (slope_error(problem, twin) for twin in boards)
    assert (trimmed < plain / 2).all()


def test_scales_and_reference_are_those_of_the_untrimmed_board(problem, boards):
    plain, trimmed = boards
    assert trimmed.scales == plain.scales
    assert trimmed.network is problem[0]
    assert trimmed.options.trim == plain.options.trim  # which board is built is the caller's choice
    assert trimmed.options.lead >= 0.0


def test_a_lead_that_was_given_is_kept(problem):
    assert trimmed_board(*problem, replace(SLOW, lead=1e-5)).options.lead == 1e-5


def test_programming_errors_are_not_trimmed(problem, boards):
    drawn = trimmed_board(*problem, replace(SLOW, programming=Programming(error=0.022, seed=1)))
    for layer, nominal in zip(drawn.layers, boards[1].layers, strict=True):
        np.testing.assert_array_equal(layer.target, nominal.target)


def test_few_samples_take_the_constant_part_out_alone(problem):
    network, calibration = problem
    few = Calibration(inputs=calibration.inputs[:8], states=calibration.states[:8])
    plain, trimmed = compile_board(network, few, SLOW), trimmed_board(network, few, SLOW)
    for before, after in zip(plain.layers[-1].target, trimmed.layers[-1].target, strict=True):
        np.testing.assert_array_equal(before[:-1], after[:-1])
        assert before[-1] != after[-1]


def test_a_layer_without_bias_is_trimmed_by_its_weights():
    torch.manual_seed(5)
    net = nn.Sequential(nn.Linear(2, 6, bias=False), nn.ReLU(), nn.Linear(6, 2, bias=False)).double()
    states = np.random.default_rng(1).uniform(-1.0, 1.0, (400, 2))
    problem = read_network(net), Calibration(inputs=np.empty((400, 0)), states=states)
    assert (slope_error(problem, trimmed_board(*problem, SLOW)) <= slope_error(problem, compile_board(*problem, SLOW))).all()


def test_a_network_that_rests_is_compiled():
    net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    states = np.linspace(-1.0, 1.0, 50)[:, None]
    assert trimmed_board(read_network(net), Calibration(inputs=np.empty((50, 0)), states=states), SLOW).options.lead == 0.0


def test_nonlinear_cells_are_refused():
    with pytest.raises(CosimError, match="no trim"):
        Options(trim=True, kappa=0.1)


def test_the_manifest_says_that_a_board_is_trimmed(small_experiment, tmp_path):
    small_experiment.compile(tmp_path, Options(fidelity="macro", trim=True))
    assert '"trim": true' in (tmp_path / "manifest.json").read_text()


def test_many_starts_are_runs_one_by_one(boards):
    twin = boards[0]
    board, starts = make_board(blueprint_of(twin)), np.array([[0.2, -0.3], [-0.6, 0.4]])
    together = runs_from(board, twin.scales, starts, duration=0.5, samples=51)
    for k, start in enumerate(starts):
        case = Case(name="alone", stimuli=(), initial=tuple(start), duration=0.5, samples=51)
        with torch.no_grad():
            alone = model_states(board, solve(board, case, twin.scales), twin.scales)[:, 0].numpy()
        # model units of a state of 1: two readings of one Runge-Kutta rule, which differ in the time of a shared slope
        np.testing.assert_allclose(together[:, k], alone, rtol=0, atol=1e-5)


def test_runs_that_cannot_be_made_are_refused(boards, small_experiment):
    twin = boards[0]
    board = make_board(blueprint_of(twin))
    with pytest.raises(CosimError, match="2 samples or more"):
        runs_from(board, twin.scales, np.zeros((1, 2)), duration=1.0, samples=1)
    driven = compile_board(small_experiment.read(), small_experiment.calibration)
    with pytest.raises(CosimError, match="external inputs"):
        runs_from(make_board(blueprint_of(driven)), driven.scales, np.zeros((1, 1)), duration=1.0, samples=2)


def test_ngspice_sees_the_same(problem, tmp_path):
    """The trim is measured on the behavioural model; the decks follow the network more closely by it too."""
    network, calibration = problem
    case = Case(name="run", stimuli=(), initial=(0.5, -0.4), duration=2.0, samples=101)
    experiment = Experiment(subject="test", model=network.module, columns=network.columns, calibration=calibration,
                            cases=(case,))
    errors = {}
    for trim in (False, True):
        run = simulate(compile_network(experiment, tmp_path / str(trim), replace(SLOW, fidelity="macro", trim=trim)))
        errors[trim] = compare(run).to_frame()["max_error"].max()
    assert errors[True] < errors[False] / 2


def test_the_switches_charge_is_made_good(boards):
    board, initial = make_board(blueprint_of(boards[1])), torch.tensor([[0.1, -0.05]], dtype=torch.float64)
    # V; untrimmed it is off by 1.8 uV on 1 uF
    torch.testing.assert_close(board.integrator.started(initial), initial, rtol=0, atol=1e-9)
