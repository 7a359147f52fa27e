"""The behavioural board: against the macro deck in ngspice, itself built another way, one board at a time; gradients."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from circuits.array.programming import Programming
from circuits.array.window import Window
from circuits.corners.corner import find_corner
from cosim.behavioural.blueprint import Blueprint, blueprint_of
from cosim.behavioural.board import make_board, solve_arrays
from cosim.behavioural.corner import board_at
from cosim.behavioural.from_folder import read_blueprint
from cosim.behavioural.integrate import model_states, solve, step_grid
from cosim.behavioural.monte_carlo import programmed
from cosim.behavioural.offsets import random_offsets
from cosim.behavioural.waveforms import vectors
from cosim.compiler.compile import compile_board
from cosim.compiler.options import Options
from cosim.errors import CosimError
from cosim.folder.manifest import read_manifest
from cosim.problem.network import read_network
from cosim.problem.reference import reference
from cosim.simulation.decks import Run, frame_to_waveforms, read_vectors, simulate
from cosim.studies.corners.folder import write_corner_folder


@pytest.fixture(scope="module")
def folder(small_experiment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("macro")
    small_experiment.compile(folder, Options(fidelity="macro"))
    return folder


def ngspice(folder):
    simulate([Run(deck=folder / "sine.cir", vectors=folder / "sine.parquet", label="sine")], workers=1)
    return read_vectors(folder / "sine.parquet")


def behavioural(blueprint, case, **how):
    board = make_board(blueprint, **how)
    with torch.no_grad():
        solution = solve(board, case, blueprint.scales, steps=250)
        return frame_to_waveforms(vectors(board, blueprint, solution))


def apart(got, expected, prefix, times, part=1.0):
    """Quantile ``part`` over time and lines of the difference [V]."""
    names = [name for name in expected.names if name.startswith(prefix)]
    return np.quantile([np.abs(got.resample(n, times) - expected.resample(n, times)) for n in names], part)


def test_it_is_the_macro_deck(folder, small_experiment):
    (case,) = small_experiment.cases
    expected, got = ngspice(folder), behavioural(read_blueprint(folder), case)
    assert got.names == expected.names
    times = 5e-3 + np.linspace(0, 0.05, 51)[1:]
    # V: 1e-4 of full scale for the state, a few uV on lines except while a neuron crosses over
    assert apart(got, expected, "v(x", times) < 1e-4 * 0.16
    assert apart(got, expected, "v(xboard.h", times, 0.9) < 20e-6
    assert apart(got, expected, "v(xboard.d", times, 0.9) < 200e-6
    hold = np.array([4.9e-3])
    # V, pre-charged, an operating point: the deck's rshunt, the tolerances of the solver
    assert apart(got, expected, "v(xboard.h", hold) < 2e-6
    assert apart(got, expected, "v(xboard.d", hold) < 10e-6
    assert apart(got, expected, "v(x0_p", hold) < 2e-6


@pytest.mark.parametrize("name", ["offset_high", "hot", "wires_x2"])
def test_a_corner_acts_as_in_the_macro_deck(folder, small_experiment, tmp_path, name):
    (case,) = small_experiment.cases
    blueprint, corner = read_blueprint(folder), find_corner(name)
    write_corner_folder(read_manifest(folder), tmp_path / "corner", corner)
    expected = ngspice(tmp_path / "corner")
    with torch.no_grad():
        board = board_at(blueprint, corner)
        got = frame_to_waveforms(vectors(board, blueprint, solve(board, case, blueprint.scales, steps=250)))
    times, hold = 5e-3 + np.linspace(0, 0.05, 51)[1:], np.array([4.9e-3])
    # V, of corners that move lines by up to millivolts
    assert apart(got, expected, "v(x0_p", times) < 2e-4 * 0.16
    assert apart(got, expected, "v(xboard.h", hold) < 10e-6


@pytest.mark.parametrize("options", [{}, {"neuron": "two_stage", "lead": 1e-5}], ids=["relu_tia", "two_stage"])
def test_from_a_folder_or_from_the_twin_it_is_the_same_board(small_experiment, tmp_path, options):
    e = small_experiment
    twin = e.compile(tmp_path, Options(**options))
    one, other = make_board(blueprint_of(twin)), make_board(read_blueprint(tmp_path))
    with torch.no_grad():
        first, second = (solve(board, e.cases[0], twin.scales, steps=20).s for board in (one, other))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert read_manifest(tmp_path).scales == twin.scales


def test_two_stage_neurons_are_those_of_the_macro_deck(small_experiment, tmp_path):
    (case,) = small_experiment.cases
    small_experiment.compile(tmp_path, Options(fidelity="macro", neuron="two_stage", lead=1e-5))
    expected, got = ngspice(tmp_path), behavioural(read_blueprint(tmp_path), case)
    times, hold = 5e-3 + np.linspace(0, 0.05, 51)[1:], np.array([4.9e-3])
    assert apart(got, expected, "v(x0_p", times) < 1e-4 * 0.16
    assert apart(got, expected, "v(xboard.h", hold) < 2e-6
    assert apart(got, expected, "v(xboard.d", hold) < 10e-6


@pytest.fixture(scope="module")
def small(small_experiment):
    e = small_experiment
    twin = compile_board(read_network(e.model, e.columns), e.calibration)
    return blueprint_of(twin), twin, e.cases[0]


def test_a_batch_is_its_boards_one_by_one(small):
    blueprint, twin, case = small
    draws = [Programming(levels=64, error=0.022, seed=k) for k in range(3)]
    g = programmed(blueprint, draws, twin.options.window)
    offsets = random_offsets(blueprint.board, 3, 0.3e-3, seed=1)
    arrays = solve_arrays(blueprint)
    with torch.no_grad():
        together = solve(make_board(blueprint, conductances=g, offsets=offsets, arrays=arrays), case, twin.scales, steps=40).s
        for k in range(3):
            alone = make_board(blueprint, conductances=[[t[k : k + 1] for t in layer] for layer in g], arrays=arrays,
                               offsets=type(offsets)(**{name: tuple(x[k : k + 1] for x in group) if isinstance(group, tuple)
                                                        else group[k : k + 1] for name, group in vars(offsets).items()}))
            torch.testing.assert_close(solve(alone, case, twin.scales, steps=40).s[:, 0], together[:, k], rtol=0, atol=1e-12)
    assert together[-1].std() > 1e-4  # V, programming error and offsets


def test_a_drawn_board_is_the_board_compiled_with_that_draw(small, small_experiment):
    blueprint, twin, case = small
    draw = Programming(levels=64, error=0.022, seed=7)
    e = small_experiment
    compiled = blueprint_of(compile_board(e.read(), e.calibration, Options(programming=draw)))
    with torch.no_grad():
        drawn = make_board(blueprint, conductances=programmed(blueprint, [draw], Window()))
        first, second = (model_states(board, solve(board, case, twin.scales, steps=40), twin.scales)
                         for board in (drawn, make_board(compiled)))
    # model units of 0.4 full scale: wires to first order, curvature of the nominal board
    np.testing.assert_allclose(first.numpy(), second.numpy(), rtol=0, atol=2e-5)


def test_gradients_with_respect_to_conductances(small):
    blueprint, twin, case = small
    arrays = solve_arrays(blueprint)

    def end(*tiles):
        board = make_board(blueprint, conductances=[[t] for t in tiles], arrays=arrays)
        return solve(board, case, twin.scales, times=np.array([0.0, 0.01]), steps=20).s[-1, 0, 0]

    tiles = [torch.as_tensor(layer[0][None]).requires_grad_() for layer in blueprint.conductances]
    gradients = torch.autograd.grad(end(*tiles), tiles)
    for k, gradient in enumerate(gradients):
        cell = np.unravel_index(int(gradient.abs().argmax()), gradient.shape)
        step = 1e-4 * tiles[k][cell].item()
        ends = []
        for sign in (1, -1):
            moved = [t.detach().clone() for t in tiles]
            moved[k][cell] += sign * step
            ends.append(end(*moved).item())
        assert gradient[cell].item() == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-3)


def test_a_tiled_board_computes_the_network(small_experiment):
    torch.manual_seed(4)
    model = nn.Sequential(nn.Linear(2, 40), nn.ReLU(), nn.Linear(40, 1)).double()
    e = small_experiment
    twin = compile_board(read_network(model, e.columns), e.calibration)
    assert [len(layer.tiles) for layer in twin.layers] == [2, 3]
    (case,) = e.cases
    board = make_board(blueprint_of(twin))
    with torch.no_grad():
        got = model_states(board, solve(board, case, twin.scales, steps=100), twin.scales)[:, 0, 0].numpy()
    expected = reference(read_network(model), case)[:, 0]
    # the circuit error of such a board, see docs/explanation/board.md; its conductances wrongly joined would give 1e-1
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-3 * np.abs(expected).max())


def test_nonlinear_memristors_and_no_steps_are_refused(small):
    blueprint, twin, case = small
    layers = (replace(blueprint.board.layers[0], kappa=1.0), *blueprint.board.layers[1:])
    with pytest.raises(CosimError, match=r"hidden_1: memristors with kappa = 1\.0 1/V have no behavioural model"):
        Blueprint(board=replace(blueprint.board, layers=layers), scales=twin.scales, conductances=blueprint.conductances)
    with pytest.raises(CosimError, match="0 integration steps"):
        solve(make_board(blueprint), case, twin.scales, steps=0)


def test_an_edge_has_six_steps_and_the_space_between_dense_samples_one():
    corners = np.array([0.0, 0.001, 0.002, 0.003, 0.0031, 1.0])
    grid = step_grid(corners, 100, 1.0, moves=np.array([0.02, 0.16, 0.5, 1.0, 0.0]))
    counts = [np.count_nonzero((grid > a - 1e-12) & (grid < b - 1e-12)) for a, b in pairwise(corners)]
    assert counts == [1, 1, 3, 6, 100]
    assert (np.diff(grid) > 0).all()
    assert len(step_grid(np.array([0.0, 0.5, 1.0]), 2, 1.0, moves=np.zeros(2))) == 13  # not a dense record: six in each half


def test_a_board_of_single_precision_is_the_same_board(small):
    blueprint, twin, case = small
    with torch.no_grad():
        single, double = (solve(make_board(blueprint, dtype=kind), case, twin.scales).s.double()
                          for kind in (torch.float32, torch.float64))
    assert float((single - double).abs().max()) < 3e-6 * float(double.abs().max())
