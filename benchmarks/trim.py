"""What a trim is worth where errors grow: Lorenz63 and the stiff van der Pol oscillator (mu = 5), circuit against torch.

    OMP_NUM_THREADS=1 .venv/bin/python -m benchmarks.trim    # six minutes; --decks runs Lorenz63 with ngspice too

Both networks (32 + 32 neurons) are trained here on their equations. The valid horizon is the time until a state of the circuit
is 2 % of full scale away from torch, both from the same start; of Lorenz63 it is the median over ten starts on the attractor.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from cosim.behavioural.blueprint import Blueprint, blueprint_of
from cosim.behavioural.board import Board, make_board
from cosim.behavioural.integrate import runs_from
from cosim.behavioural.signal import Signal
from cosim.compiler.compile import compile_board
from cosim.compiler.compiled_twin import CompiledTwin
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration, Ranges
from cosim.diagnosis.trim import trimmed_board
from cosim.experiment import Experiment
from cosim.front_door import compile_network, simulate
from cosim.problem.case import Case
from cosim.problem.network import Network, read_network
from cosim.report.markdown_table import MarkdownTable, write_tables
from cosim.simulation.decks import NGSPICE
from cosim.simulation.twin_states import twin_states
from training.integrate import integrate
from training.models.neural_ode import linear_layers

Field = Callable[[np.ndarray], np.ndarray]  # states (m, d) -> derivatives (m, d), model units and time units
LIMIT = 0.02  # of full scale, at which the horizon ends
FLOOR = 0.01  # of full scale, least reference of a relative error


def lorenz63(x: np.ndarray) -> np.ndarray:
    """Lorenz, J. Atmos. Sci. 20, 130 (1963), sigma = 10, rho = 28, beta = 8/3."""
    a, b, c = x.T
    return np.stack([10 * (b - a), a * (28 - c) - b, a * b - 8 / 3 * c], axis=1)


def van_der_pol(x: np.ndarray, mu: float = 5.0) -> np.ndarray:
    """Van der Pol, Phil. Mag. 2, 978 (1926), in position and speed."""
    position, speed = x.T
    return np.stack([speed, mu * (1 - position**2) * speed - position], axis=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """A network and the runs that it is looked at on."""

    name: str
    net: nn.Sequential
    states: np.ndarray  # (m, d), calibration
    starts: np.ndarray  # (runs, d)
    duration: float  # time units
    samples: int

    @property
    def network(self) -> Network:
        return read_network(self.net)

    @property
    def calibration(self) -> Calibration:
        return Calibration(inputs=np.empty((len(self.states), 0)), states=self.states)


def fit(field: Field, points: np.ndarray, *, steps: int = 8000, jitter: float = 0.05) -> nn.Sequential:
    """A ReLU network d-32-32-d of the field at and around points, in model units; Adam on normalised signals."""
    draw, d = np.random.default_rng(0), points.shape[1]
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, d)).double()
    slopes = field(points)
    middle, spread, slope_middle, slope_spread = points.mean(0), points.std(0), slopes.mean(0), slopes.std(0)
    adam = torch.optim.Adam(net.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps, 1e-5)
    for _ in range(steps):
        x = points[draw.integers(len(points), size=256)] + jitter * spread * draw.normal(size=(256, d))
        wanted = torch.from_numpy((field(x) - slope_middle) / slope_spread)
        loss = nn.functional.mse_loss(net(torch.from_numpy((x - middle) / spread)), wanted)
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
    first, *_, last = linear_layers(net)
    with torch.no_grad():
        first.weight /= torch.from_numpy(spread)
        first.bias -= first.weight @ torch.from_numpy(middle)
        last.weight *= torch.from_numpy(slope_spread)[:, None]
        last.bias.copy_(last.bias * torch.from_numpy(slope_spread) + torch.from_numpy(slope_middle))
    return net


def lorenz63_problem() -> Problem:
    """Ten starts, five time units apart, of a run that no sample of the training is in."""
    time = np.linspace(0.0, 120.0, 24001)
    run = integrate(lambda _, x: lorenz63(x[None])[0], [1.0, 1.0, 20.0], time, rtol=1e-9, atol=1e-9)
    seen, later = run[1000:12000], run[14000:24000:1000]
    return Problem(name="Lorenz63", net=fit(lorenz63, seen), states=seen, starts=later, duration=9.0, samples=2401)


def van_der_pol_problem() -> Problem:
    """A cycle and a half from (2, 0)."""
    run = integrate(lambda _, x: van_der_pol(x[None])[0], [2.0, 0.0], np.linspace(0.0, 40.0, 8001), rtol=1e-9, atol=1e-9)
    draw = np.random.default_rng(0)
    around = np.column_stack([draw.uniform(-2.3, 2.3, 4000), draw.uniform(-8, 8, 4000)])
    return Problem(name="van der Pol, mu = 5", net=fit(van_der_pol, np.concatenate([run, around])), states=run,
                   starts=run[:1], duration=15.0, samples=1001)


def torch_runs(problem: Problem, per_sample: int = 16) -> np.ndarray:
    """The network itself, (samples, runs, d), by RK4 with some steps per sample."""
    network, x, runs = problem.network, problem.starts, []
    step = problem.duration / (problem.samples - 1) / per_sample
    for _ in range(problem.samples):
        runs.append(x)
        for _ in range(per_sample):
            x = _rk4(lambda z: network.derivative(np.empty((len(z), 0)), z), x, step)
    return np.array(runs)


def _rk4(slope: Field, x: np.ndarray, step: float) -> np.ndarray:
    a = slope(x)
    b = slope(x + 0.5 * step * a)
    c = slope(x + 0.5 * step * b)
    return x + step / 6 * (a + 2 * b + 2 * c + slope(x + step * c))


def exponent(problem: Problem, duration: float = 400.0, step: float = 0.005) -> float:
    """Largest Lyapunov exponent of the network [1 / time unit]: growth of a distance that is set back every tenth unit."""
    network = problem.network

    def slope(z: np.ndarray) -> np.ndarray:
        return network.derivative(np.empty((len(z), 0)), z)

    draw, size, logs = np.random.default_rng(0), 1e-6, []
    x = problem.starts
    away = draw.normal(size=x.shape)
    away *= size / np.linalg.norm(away, axis=1, keepdims=True)
    for number in range(round(duration / len(x) / (20 * step)) + 50):
        both = np.concatenate([x, x + away])
        for _ in range(20):
            both = _rk4(slope, both, step)
        x, away = both[: len(x)], both[len(x) :] - both[: len(x)]
        grown = np.linalg.norm(away, axis=1, keepdims=True)
        away *= size / grown
        if number >= 50:
            logs.append(np.log(grown / size))
    return float(np.mean(logs) / (20 * step))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one board made of a problem."""

    horizons: np.ndarray  # (runs,) time units
    censored: int  # runs that were good to their end
    mre: float  # mean relative error, the worse state

    @classmethod
    def of(cls, problem: Problem, got: np.ndarray, wanted: np.ndarray) -> Measured:
        """Runs (samples, runs, d) against torch's."""
        full = np.abs(wanted).max(axis=(0, 1))
        past = (np.abs(got - wanted) > LIMIT * full).any(axis=2)
        time = np.linspace(0.0, problem.duration, len(got))
        ends = np.where(past.any(axis=0), time[past.argmax(axis=0)], problem.duration)
        relative = np.abs(got - wanted) / np.maximum(np.abs(wanted), FLOOR * full)
        return cls(horizons=ends, censored=int((~past.any(axis=0)).sum()), mre=float(relative.mean(axis=(0, 1)).max()))


def options(time_scale: float, trim: bool, headroom: float = 1.25) -> Options:
    """A board of this benchmark."""
    return Options(fidelity="macro", time_scale=time_scale, trim=trim, ranges=Ranges(headroom=headroom))


def without_hanging_lines(blueprint: Blueprint) -> Board:
    """A board on which the line of a neuron that is off stays at 0 V, whatever the next array does to it."""
    board = make_board(blueprint)
    layers = []
    for layer in board.layers:
        load = layer.load
        still = None if load.coupling is None else torch.zeros_like(load.coupling)
        layers.append(replace(layer, load=replace(load, coupling=still, injected=torch.zeros_like(load.injected))))
    return replace(board, layers=tuple(layers))


def with_ideal_amplifiers(blueprint: Blueprint) -> Board:
    """A board whose op-amps have no limit of gain or speed and draw no current."""
    board = make_board(blueprint)
    op = replace(board.op, aol=1e12, omega_t=1e15, i_bias=0.0, cmrr=1e12)
    layers = tuple(replace(layer, op=op, rectifier=replace(layer.rectifier, op=op)) for layer in board.layers)
    return replace(board, op=op, layers=layers, integrator=replace(board.integrator, op=op))


MODELS = {"lines of neurons that are off stay at 0 V": without_hanging_lines,
          "ideal amplifiers": with_ideal_amplifiers}


def slope_error(problem: Problem, twin: CompiledTwin, model: Callable[[Blueprint], Board] = make_board) -> float:
    """RMS error of the board's slopes at the calibration samples, part of full scale, the worst state."""
    states = problem.states[3::11]
    none = torch.zeros(len(states), 0, dtype=torch.float64)
    with torch.no_grad():
        seen = model(blueprint_of(twin))(torch.as_tensor(states * twin.scales.state), Signal(none, none))
    lines = seen.states.numpy() / twin.scales.state
    wanted = problem.network.derivative(np.empty((len(lines), 0)), lines)
    error = seen.slope.numpy() * twin.scales.time / twin.scales.state - wanted
    return float((np.sqrt(np.square(error).mean(axis=0)) / np.abs(wanted).max(axis=0)).max())


STEPS = 2  # of the integration per sample; a coarser one is lost sooner than the circuit


def behavioural(problem: Problem, chosen: Options, model: Callable[[Blueprint], Board] = make_board) -> tuple[Measured, float]:
    """The behavioural model of a board, and its slopes' error."""
    asked = problem.network, problem.calibration, replace(chosen, fidelity="flat")
    twin = trimmed_board(*asked, model=model) if chosen.trim else compile_board(*asked)
    got = runs_from(model(blueprint_of(twin)), twin.scales, problem.starts, duration=problem.duration,
                    samples=STEPS * (problem.samples - 1) + 1)[::STEPS]
    return Measured.of(problem, got, torch_runs(problem)), slope_error(problem, twin, model)


def decks(problem: Problem, chosen: Options, workers: int) -> Measured:
    """The same with ngspice, macro decks."""
    cases = tuple(Case(name=f"start_{k}", stimuli=(), initial=tuple(start.tolist()), duration=problem.duration,
                       samples=problem.samples) for k, start in enumerate(problem.starts))
    columns = tuple(f"x{k}" for k in range(problem.starts.shape[1]))
    experiment = Experiment(subject=problem.name, model=problem.net, columns=columns, calibration=problem.calibration,
                            cases=cases)
    with tempfile.TemporaryDirectory() as folder:
        run = simulate(compile_network(experiment, folder, chosen), workers=workers, timeout=3600.0)
        got = np.stack([twin_states(run.waveforms(case.name), run.compiled.manifest, case) for case in cases], axis=1)
    return Measured.of(problem, got, torch_runs(problem))


# time scale, trim, headroom
BOARDS = ((1.0, False, 1.25), (1.0, True, 1.25), (10.0, True, 1.25))


def table(problem: Problem, rate: float | None, with_decks: bool, workers: int) -> pd.DataFrame:
    """One row per board, printed as it is measured.

    Args:
        rate: largest Lyapunov exponent [1 / time unit]; None: a system that forgets nothing.
    """
    rows = []
    for name, chosen, measured, error in _measured(problem, with_decks, workers):
        rows.append({
            "model": name, "circuit s per time unit": f"{chosen.time_scale:g}", "trimmed": "yes" if chosen.trim else "no",
            "headroom": f"{chosen.ranges.headroom:g}", "slope error": error, **_columns(problem, measured, rate)})
        print(", ".join(f"{column} {cell}" for column, cell in rows[-1].items()), flush=True)
    return pd.DataFrame(rows)


def causes(problem: Problem, rate: float) -> pd.DataFrame:
    """One row per cause that is left out of the slow, trimmed board of a chaotic system."""
    rows = []
    for name, model in MODELS.items():
        measured, error = behavioural(problem, options(10.0, True), model)
        rows.append({"board": name, "slope error": f"{error:.1e}", **_columns(problem, measured, rate)})
        print(", ".join(f"{column} {cell}" for column, cell in rows[-1].items()), flush=True)
    return pd.DataFrame(rows)


def _measured(problem: Problem, with_decks: bool, workers: int) -> Iterator[tuple[str, Options, Measured, str]]:
    for board in BOARDS:
        chosen = options(*board)
        measured, error = behavioural(problem, chosen)
        yield "behavioural", chosen, measured, f"{error:.1e}"
    for board in (BOARDS[1],) if with_decks else ():
        yield "ngspice", options(*board), decks(problem, options(*board), workers), ""


def _columns(problem: Problem, measured: Measured, rate: float | None) -> dict[str, str]:
    if rate is None:
        horizon = f"{'> ' if measured.censored else ''}{measured.horizons[0]:.2f}"
        return {"horizon": horizon, "MRE": f"{measured.mre:.2%}"}
    median = float(np.median(measured.horizons))
    low, high = np.percentile(measured.horizons, [25, 75])
    return {"horizon": f"{median:.2f} ({low:.1f} to {high:.1f})", "Lyapunov times": f"{median * rate:.1f}"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decks", action="store_true", help="simulate Lorenz63 with ngspice too")
    parser.add_argument("--workers", type=int, default=2, help="simulations at a time")
    parser.add_argument("--docs", type=Path, help="write the tables to this Markdown file too, as in docs/results")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    chaotic, stiff = lorenz63_problem(), van_der_pol_problem()
    rate = exponent(chaotic)
    print(f"largest exponent of the Lorenz63 network: {rate:.3f} per time unit")
    horizon = (f"Horizon: time units until a state is {LIMIT:.0%} of full scale away from torch, median of "
               f"{len(chaotic.starts)} starts and quartiles. The network's largest exponent is {rate:.2f} per time unit. Slope "
               "errors are RMS, parts of full scale, the worst state.")
    cycle = ("mu = 5, 15 time units from (2, 0), one and a half cycles. MRE of the worse state, reference at least 1 % of full "
             "scale.")
    tables = [
        MarkdownTable(heading="Lorenz63", frame=table(chaotic, rate, asked.decks, asked.workers), note=horizon),
        MarkdownTable(heading="What the trim leaves", frame=causes(chaotic, rate), note="Lorenz63, 10 circuit seconds per time "
                      "unit, trimmed; each board is trimmed for itself."),
        MarkdownTable(heading="Van der Pol", frame=table(stiff, None, True, asked.workers), note=cycle)]
    if asked.docs:
        words = sys.argv[1:] if arguments is None else arguments
        print(write_tables(asked.docs, "Trimmed boards", tables, engines=(NGSPICE.version(),),
                           command=shlex.join(["python", "-m", "benchmarks.trim", *words])))


if __name__ == "__main__":
    main()
