"""The board's own loop: torchdiffeq is the reference; the same compiled, in numpy and in torch; bad compilers and caches."""

import logging
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torchdiffeq import odeint

from circuits.array.programming import Programming
from cosim.behavioural import integrate
from cosim.behavioural.blueprint import blueprint_of
from cosim.behavioural.board import make_board
from cosim.behavioural.drive import Drive
from cosim.behavioural.integrate import runs_from, solve, step_grid, step_spreads
from cosim.behavioural.kernel import build
from cosim.behavioural.monte_carlo import batches, programmed
from cosim.behavioural.offsets import random_offsets
from cosim.behavioural.runge_kutta import runge_kutta, stage_times
from cosim.behavioural.stages.op_amp import OpAmp
from cosim.compiler.compile import compile_board
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.diagnosis.idealised import (
    endless_gain,
    with_fast_integrators,
    without_crossover,
    without_curvature,
    without_diode_leakage,
    without_hanging_lines,
    without_leaks,
    without_limits,
)
from cosim.errors import CosimError
from cosim.problem.network import read_network

ROUNDING = 1e-12  # V of 0.2 V: sums in another order, vector functions of 4 units in the last place
compiled = pytest.mark.skipif(build.compiler() is None, reason="no C compiler")


@pytest.fixture(autouse=True)
def fresh():
    """What was looked up or loaded in one test is not there in another."""
    yield
    build.compiler.cache_clear()
    build.built.cache_clear()


@pytest.fixture(scope="module", params=[{}, {"neuron": "two_stage", "lead": 1e-5}], ids=["relu_tia", "two_stage"])
def twin(request, small_experiment):
    e = small_experiment
    return compile_board(e.read(), e.calibration, Options(**request.param))


def boards_of(twin, count):
    blueprint = blueprint_of(twin)
    draws = [Programming(levels=64, error=0.022, seed=k) for k in range(count)]
    return make_board(blueprint, conductances=programmed(blueprint, draws, twin.options.window),
                      offsets=random_offsets(blueprint.board, count, 0.3e-3, seed=1))


def endless(twin):
    return make_board(blueprint_of(twin), op=endless_gain(OpAmp.from_part()))


def by_torchdiffeq(board, case, scales, steps):
    drive = Drive(case=case, scales=scales)
    corners = np.concatenate([[0.0], drive.breakpoints(), [drive.duration]])
    grid = step_grid(corners, steps, drive.duration, drive.moves(corners))
    spreads = step_spreads(grid, corners)

    def slope(t, s):
        here = np.searchsorted(grid, float(t), side="right") - 1
        return board(s, drive(float(t)), spreads[min(here, len(spreads) - 1)]).slope

    initial = torch.tensor([case.initial], dtype=torch.float64) * torch.as_tensor(scales.state)
    s0 = board.integrator.started(initial).expand(board.boards, -1)
    with torch.no_grad():
        return grid, odeint(slope, s0, torch.from_numpy(grid), method="rk4")


@pytest.mark.parametrize("repays", [pytest.param(0, marks=compiled), 10**9], ids=["compiled", "numpy"])
@pytest.mark.parametrize("count", [1, 19])  # 19 boards: a compiled chunk and a part of one
def test_it_is_torchdiffeq_to_rounding(twin, small_experiment, monkeypatch, repays, count):
    (case,) = small_experiment.cases
    board = boards_of(twin, count)
    grid, expected = by_torchdiffeq(board, case, twin.scales, 40)
    monkeypatch.setattr(integrate, "REPAYS", repays)
    got = solve(board, case, twin.scales, times=grid, steps=40).s
    torch.testing.assert_close(got, expected, rtol=0, atol=ROUNDING)
    assert got.std(dim=0).min() > 1e-3  # V, it moves


def test_with_gradients_it_is_the_same(twin, small_experiment):
    (case,) = small_experiment.cases
    blueprint = blueprint_of(twin)
    tiles = [[torch.as_tensor(g[None]).requires_grad_() for g in layer] for layer in blueprint.conductances]
    traced = solve(make_board(blueprint, conductances=tiles), case, twin.scales, steps=20).s
    plain = solve(make_board(blueprint), case, twin.scales, steps=20).s
    assert traced.requires_grad
    assert not plain.requires_grad
    torch.testing.assert_close(traced.detach(), plain, rtol=0, atol=ROUNDING)


def test_the_rule_is_of_fourth_order():
    def error(steps):
        grid = np.linspace(0.0, 1.0, steps + 1)
        times = stage_times(grid)
        s, _ = runge_kutta(lambda n, k, s: s * np.cos(times[n, k]), np.array([[1.0]]), np.diff(grid))
        return abs(s[-1].item() - np.exp(np.sin(1.0)))

    assert error(10) / error(20) == pytest.approx(16, rel=0.2)


@compiled
def test_clamped_boards_are_compiled_as_they_are_in_numpy(twin, small_experiment, monkeypatch):
    """Lines in their clamps and states in the rails, where numpy branches and the program does not."""
    (case,) = small_experiment.cases
    board = boards_of(twin, 3)
    monkeypatch.setattr(integrate, "REPAYS", 0)
    high = replace(case, initial=(case.initial[0] + 3 / twin.scales.state[0],))
    got = solve(board, high, twin.scales, steps=40).s
    monkeypatch.setattr(integrate, "REPAYS", 10**9)
    torch.testing.assert_close(got, solve(board, high, twin.scales, steps=40).s, rtol=0, atol=10 * ROUNDING)


@compiled
@pytest.mark.parametrize("without", [without_limits, without_crossover, with_fast_integrators, without_hanging_lines,
                                     without_diode_leakage, without_leaks, without_curvature, endless],
                         ids=lambda change: change.__name__)
def test_boards_without_an_imperfection_are_compiled_too(twin, small_experiment, monkeypatch, without):
    """Infinite limits, endless gains and absent parts, with a compiler that is told that numbers are finite."""
    (case,) = small_experiment.cases
    board = without(boards_of(twin, 2)) if without is not endless else endless(twin)
    monkeypatch.setattr(integrate, "REPAYS", 0)
    got = solve(board, case, twin.scales, steps=30).s
    monkeypatch.setattr(integrate, "REPAYS", 10**9)
    torch.testing.assert_close(got, solve(board, case, twin.scales, steps=30).s, rtol=0, atol=ROUNDING)


@compiled
def test_a_run_that_leaves_the_finite_numbers_is_an_error_compiled_too(twin, small_experiment, monkeypatch):
    (case,) = small_experiment.cases
    board = boards_of(twin, 2)
    first = board.layers[0]
    lost = replace(board, layers=(replace(first, constant=first.constant * float("nan")), *board.layers[1:]))
    for repays in (0, 10**9):
        monkeypatch.setattr(integrate, "REPAYS", repays)
        with pytest.raises(CosimError, match="board 0: the behavioural solution is not finite from t ="):
            solve(lost, case, twin.scales, steps=30)


def test_batches_are_the_boards_of_one_call(twin, small_experiment):
    (case,) = small_experiment.cases
    blueprint = blueprint_of(twin)
    draws = [Programming(levels=64, error=0.022, seed=k) for k in range(5)]
    together = solve(make_board(blueprint, conductances=programmed(blueprint, draws, twin.options.window)), case, twin.scales,
                     steps=20).s
    parts = [solve(board, case, twin.scales, steps=20).s for board in batches(blueprint, draws, twin.options.window, size=2)]
    assert [part.shape[1] for part in parts] == [2, 2, 1]
    torch.testing.assert_close(torch.cat(parts, dim=1), together, rtol=0, atol=ROUNDING)


def test_without_a_compiler_it_is_numpy_and_says_so_once(twin, small_experiment, monkeypatch, caplog):
    (case,) = small_experiment.cases
    board = make_board(blueprint_of(twin))
    expected = solve(board, case, twin.scales, steps=40).s
    monkeypatch.setattr(integrate, "REPAYS", 0)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    build.compiler.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            torch.testing.assert_close(solve(board, case, twin.scales, steps=40).s, expected, rtol=0, atol=ROUNDING)
    assert [record.message for record in caplog.records if "no C compiler" in record.message] == [
        "no C compiler (cc, gcc, clang): behavioural boards are computed in numpy, several times slower"]


TEXT = "double twice(double x) { return 2 * x; }"


@compiled
@pytest.mark.parametrize("harm", ["damaged", "not a folder"])
def test_a_bad_cache_is_mended_or_left(tmp_path, monkeypatch, harm):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if harm == "damaged":
        build.built(TEXT)
        (kept,) = (tmp_path / "cache").rglob("*.so")
        kept.unlink()
        kept.write_bytes(b"no library")
        build.built.cache_clear()
    else:
        (tmp_path / "cache").write_text("a file, in which no folder can be made")
    twice = build.built(TEXT).twice
    twice.restype, twice.argtypes = build.ctypes.c_double, [build.ctypes.c_double]
    assert twice(1.5) == 3.0


@compiled
def test_what_the_compiler_says_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(CosimError, match=r"refuses the behavioural kernel: (.|\n)*COSIM_KERNEL=off"):
        build.built("this is not C")


@compiled
def test_runs_from_many_starts_are_the_same_compiled(monkeypatch):
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)).double()
    states = np.random.default_rng(0).uniform(-1.0, 1.0, (200, 2))
    undriven = compile_board(read_network(net), Calibration(inputs=np.empty((200, 0)), states=states), Options(time_scale=1.0))
    found = []
    for repays in (0, 10**9):
        monkeypatch.setattr(integrate, "REPAYS", repays)
        found.append(runs_from(make_board(blueprint_of(undriven)), undriven.scales, states[:21], duration=0.5, samples=51))
    np.testing.assert_allclose(*found, rtol=0, atol=ROUNDING / undriven.scales.state.min())  # model units
    assert np.ptp(found[0], axis=0).min() > 1e-3
