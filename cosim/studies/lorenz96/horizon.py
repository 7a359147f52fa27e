"""How far the chaotic ring is predicted: the median over starts that no training saw, in torch and on the board.

One start tells nothing, since the growth of an error differs from place to place of the attractor. So a ridge network
(`training.ridges`) and its trimmed board (`cosim.diagnosis.trim`) run from ten starts that are 1.2 time units apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from circuits.board.nets import standard_columns
from circuits.netlist.solver import Solver
from circuits.stages.clamp import CLAMP_ONSET
from cosim.behavioural.blueprint import blueprint_of
from cosim.behavioural.board import make_board
from cosim.behavioural.integrate import runs_from
from cosim.comparison.clamp_hits import clamp_hits
from cosim.compiler.compile import compile_board
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration, Ranges
from cosim.diagnosis.trim import trimmed_board
from cosim.errors import CosimError
from cosim.experiment import Experiment
from cosim.folder.compiled import CompiledNetwork
from cosim.problem.case import Case
from cosim.problem.network import read_network
from cosim.simulation.decks import read_vectors
from cosim.simulation.twin_states import twin_states
from cosim.store.files import write_json
from cosim.studies.base.board import StudyBoard
from cosim.studies.base.pipeline import Pipeline
from training.checkpoint import load
from training.experiments.lorenz96 import CHECKPOINTS
from training.experiments.lorenz96_evaluation import EXPONENTS, truth
from training.experiments.lorenz96_ridges import (
    STARTS,
    horizons,
    later_starts,
    network_runs,
    ridges_path,
    train_ridges,
    true_runs,
)
from training.lyapunov import ValidPrediction
from training.systems.lorenz96 import FORCINGS, TRAINING_SAMPLES, Lorenz96, phases

BOARD = "ridges"
FIDELITIES = ("macro", "behavioural")
# At this speed the solver's steps are far longer than the amplifiers' times: with chgtol 1e-11 C, as at 1e-2 s per time unit,
# their internal nodes are followed too loosely.
SOLVER = Solver(trtol=50.0, chgtol=1e-13)
MAX_STEP = 0.005  # time units; with 0.01 a run is three times further from torch after half a time unit
# Each state and the bias drive one cell per neuron. At 0.2 V, 740 cells draw more than the 2.3 mA that an amplifier at its rail
# gets through the clamp's 1 kohm.
LINE = 0.1  # V


def horizon_options(time_scale: float = 1.0) -> Options:
    """The board of the ridge network; slow, since only the speed costs accuracy here."""
    return Options(fidelity="macro", time_scale=time_scale, ranges=Ranges(line=LINE, derivative=0.25), solver=SOLVER,
                   max_step=MAX_STEP, trim=True)


@dataclass(frozen=True, kw_only=True)
class HorizonSetup:
    """What is run; the defaults are the study."""

    system: Lorenz96 = FORCINGS["lorenz96_f8"]
    starts: int = STARTS
    lyapunov_times: float = 8.0  # of every run; a run that is good to its end counts as longer
    checkpoints: Path = CHECKPOINTS
    options: Options = field(default_factory=horizon_options)

    def __post_init__(self) -> None:
        if self.system.name not in EXPONENTS or self.starts < 1 or not self.lyapunov_times > 0:
            raise CosimError(f"{self.starts} starts of {self.lyapunov_times} Lyapunov times of {self.system.name}; a chaotic "
                             f"system ({', '.join(EXPONENTS)}), a start or more and a positive time are needed")

    @property
    def samples(self) -> int:
        """Of a run, as far apart as those of training."""
        time = truth(self.system).time
        return 1 + round(self.lyapunov_times / EXPONENTS[self.system.name] / (time[1] - time[0]))

    @property
    def duration(self) -> float:
        """Of a run [time units]."""
        time = truth(self.system).time
        return (self.samples - 1) * float(time[1] - time[0])

    def states(self) -> np.ndarray:
        """(starts, d) model units."""
        return later_starts(self.system, self.starts)

    def wanted(self) -> np.ndarray:
        """(samples, starts, d) model units, the equation from every start."""
        return true_runs(self.system, self.starts, self.duration, self.samples)

    def calibration(self) -> Calibration:
        """The training span, never beyond it."""
        states = phases(truth(self.system).state)[0][:TRAINING_SAMPLES]
        return Calibration(inputs=np.empty((len(states), 0)), states=states)

    def experiment(self) -> Experiment:
        """One case per start."""
        cases = tuple(Case(name=f"start_{k}", stimuli=(), initial=tuple(start.tolist()), duration=self.duration,
                           samples=self.samples) for k, start in enumerate(self.states()))
        return Experiment(subject=f"Lorenz96, F = {self.system.forcing:g}, ridges",
                          model=load(ridges_path(self.system, self.checkpoints)).net,
                          columns=standard_columns(0, len(self.system.start)), calibration=self.calibration(), cases=cases)

    def board(self) -> StudyBoard:
        """The board with a deck for every start."""
        checkpoint = ridges_path(self.system, self.checkpoints).read_bytes()
        return StudyBoard(name=BOARD, experiment=self.experiment, options=self.options, code=__name__,
                          inputs=(checkpoint, f"{self.system} {self.starts} {self.samples}"))


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Valid prediction times of one network or board [Lyapunov times]."""

    each: tuple[ValidPrediction, ...]

    @property
    def values(self) -> np.ndarray:
        return np.array([one.lyapunov_times for one in self.each])

    @property
    def median(self) -> float:
        """A run that was good to its end counts with its length, which moves the median only if half of them were."""
        return float(np.median(self.values))

    def __str__(self) -> str:
        low, high = np.percentile(self.values, [25, 75])
        return f"{self.median:.2f} ({low:.1f} to {high:.1f})"


def torch_spread(setup: HorizonSetup, net) -> Spread:
    """A torch network from every start against the equation."""
    runs = network_runs(net, setup.states(), setup.duration, setup.samples)
    return Spread(each=tuple(horizons(setup.system, runs, setup.wanted(), setup.duration)))


def run_horizon(setup: HorizonSetup, pipeline: Pipeline, fidelity: str = FIDELITIES[0]) -> dict:
    """Train what is missing, compile, trim, simulate, compare; returns the content of metrics.json.

    Args:
        pipeline: with the results folder.
        fidelity: "macro", ngspice; or "behavioural", the torch model of the board, all starts at once and no decks.
    Raises:
        CosimError, CircuitError, TrainingError: as the steps.
    """
    if fidelity not in FIDELITIES:
        raise CosimError(f"fidelity {fidelity!r}: choose one of {', '.join(FIDELITIES)}")
    net = load(train_ridges(setup.system, folder=setup.checkpoints)).net
    if fidelity == "behavioural":
        circuit, hits = behavioural_spread(setup, net, time_scale=setup.options.time_scale, trim=setup.options.trim), 0
    else:
        compiled = pipeline.compile([setup.board()])
        pipeline.simulate(compiled, [(BOARD, case) for case in compiled[BOARD].cases])
        circuit, hits = _circuit(setup, pipeline, compiled)
    model = torch_spread(setup, net)
    metrics = {
        "forcing": setup.system.forcing, "exponent": EXPONENTS[setup.system.name], "fidelity": fidelity,
        "time_scale": setup.options.time_scale, "unit": "Lyapunov times",
        "median": {"torch": model.median, "circuit": circuit.median},
        "starts": [{"torch": a.lyapunov_times, "circuit": b.lyapunov_times,
                    "censored": {"torch": a.censored, "circuit": b.censored}}
                   for a, b in zip(model.each, circuit.each, strict=True)],
        "clamp_hits": hits,
    }
    write_json(pipeline.results.metrics, metrics)
    return metrics


def _circuit(setup: HorizonSetup, pipeline: Pipeline, compiled: Mapping[str, CompiledNetwork]) -> tuple[Spread, int]:
    network, runs, hits = compiled[BOARD], [], 0
    for name, case in network.cases.items():
        waveforms = read_vectors(pipeline.results.vectors(BOARD, name))
        runs.append(twin_states(waveforms, network.manifest, case))
        hits += bool(clamp_hits(waveforms, CLAMP_ONSET))
    return Spread(each=tuple(horizons(setup.system, np.stack(runs, axis=1), setup.wanted(), setup.duration))), hits


def behavioural_spread(setup: HorizonSetup, net, *, time_scale: float, trim: bool, per_sample: int = 1) -> Spread:
    """The same on the behavioural model of a board, from all starts at once.

    Args:
        time_scale: circuit seconds per time unit.
        per_sample: steps of the integration per sample.
    """
    options = replace(setup.options, time_scale=time_scale, trim=trim, fidelity="flat")
    build = trimmed_board if trim else compile_board
    twin = build(read_network(net), setup.calibration(), options)
    states = runs_from(make_board(blueprint_of(twin)), twin.scales, setup.states(), duration=setup.duration,
                       samples=per_sample * (setup.samples - 1) + 1)[::per_sample]
    return Spread(each=tuple(horizons(setup.system, states, setup.wanted(), setup.duration)))


def smooth_error_spread(setup: HorizonSetup, error: float, seed: int = 0, features: int = 40) -> Spread:
    """The equation with a smooth random field added to it: how far any model gets whose slopes are off by that much.

    Args:
        error: RMS of the added field [model units per time unit].
        features: waves whose sum it is; about a wave length over the attractor.
    """
    draw = np.random.default_rng(seed)
    d = len(setup.system.start)
    waves, phase = draw.normal(size=(features, d)) / d, draw.uniform(0, 2 * np.pi, features)
    size = error * np.sqrt(2 / features) * draw.normal(size=(d, features))

    def slope(x: np.ndarray) -> np.ndarray:
        return setup.system.rhs(x) + np.cos(x @ waves.T + phase) @ size.T

    step, x, runs = setup.duration / (setup.samples - 1) / 4, setup.states(), []
    for _ in range(setup.samples):
        runs.append(x)
        for _ in range(4):
            a = slope(x)
            b = slope(x + 0.5 * step * a)
            c = slope(x + 0.5 * step * b)
            x = x + step / 6 * (a + 2 * b + 2 * c + slope(x + step * c))
    return Spread(each=tuple(horizons(setup.system, np.array(runs), setup.wanted(), setup.duration)))
