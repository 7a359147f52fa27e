"""An experiment: a network, what it is fed, and the runs it is compared on."""

from __future__ import annotations

import importlib.util
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from circuits.board import nets
from circuits.errors import CircuitError
from cosim.compiler.compile import check_calibration, compile_board
from cosim.compiler.compiled_twin import CompiledTwin
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.console import Progress
from cosim.diagnosis.correction import compile_corrected
from cosim.diagnosis.trim import trimmed_board
from cosim.errors import CosimError, CosimWarning, NotPiecewiseLinearError
from cosim.folder.write import write_twin
from cosim.problem.as_called import check_call
from cosim.problem.case import Case
from cosim.problem.chain import unwrapped
from cosim.problem.fitting.fit import fit_network
from cosim.problem.fitting.options import Fit
from cosim.problem.fitting.region import near_samples
from cosim.problem.lowering.jumps import check_continuous
from cosim.problem.lowering.record import record
from cosim.problem.network import Network, check_columns, read_network
from cosim.problem.reference import author_reference
from cosim.problem.time_inputs import timed_cases
from cosim.problem.truth import truths
from cosim.store.files import check_writable
from training.errors import TrainingError

POINTS = 32  # calibration samples at which the model is called, to hold it against what was read from it
RUN_POINTS = 500  # the same of a case's own solution, before it is compiled


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Everything the compiler needs, in one object."""

    subject: str  # for titles, e.g. "HP memristor, current drive"
    model: nn.Module | Callable  # derivative network, forward(z) or forward(t, z), z with one number per column
    columns: tuple[str, ...]  # ("u0", "x0"): what each number of z is, in the order in which the model takes them
    calibration: Calibration
    cases: tuple[Case, ...]
    fit: Fit | None = None  # how a model that is not piecewise linear is replaced by a ReLU network; None: it is refused
    truth: Mapping[str, Any] | Callable[[Case], Any] | None = None  # of cases, see cosim.problem.truth.truths; None: not known

    def __post_init__(self) -> None:
        if self.fit is None:
            object.__setattr__(self, "fit", _fit_of_files.get())
        if not (self.fit is None or isinstance(self.fit, Fit)):
            raise CosimError(f"experiment {self.subject!r}: fit = {self.fit!r}; give cosim.Fit(error=0.005), or None")
        own = tuple(self.columns)
        check_columns(own)
        check_calibration(own, self.calibration)
        names = [case.name for case in self.cases]
        if not names or len(set(names)) != len(names):
            raise CosimError(f"experiment {self.subject!r}: cases {names}; give at least one, each a name of its own")
        for case in self.cases:
            for what, values, kind in (("stimuli", case.stimuli, "external"), ("initial", case.initial, "state")):
                wanted = [column for column in own if nets.parse_column(column).kind == kind]
                if len(values) != len(wanted):
                    raise CosimError(f"experiment {self.subject!r}, case {case.name}: {what} has {len(values)} values, the "
                                     f"network takes {len(wanted)} ({', '.join(wanted) or 'none'}); give as many")
        _ = self.truths  # refuses what does not fit the cases
        times = np.linspace(0.0, self.cases[0].duration, POINTS)
        check_call(unwrapped(self.model), self._slope(), self._points(), times)

    @cached_property
    def truths(self) -> dict[str, np.ndarray]:
        """The truth of every case that has one: (samples, n_states), model units, on the case's grid."""
        return truths(self.truth, self.cases)

    def read(self, progress: Progress | None = None) -> Network:
        """The network as it is now, weights copied; fitted where :attr:`fit` allows it and the model needs it.

        Raises:
            UnsupportedModelError: the model is not piecewise linear, and no fit is allowed or none keeps its error.
        """
        try:
            return read_network(self.model, self.columns)
        except NotPiecewiseLinearError:
            if self.fit is None:
                raise
        return fit_network(unwrapped(self.model), tuple(self.columns), self.calibration.inputs, self.calibration.states,
                           self.cases, self.fit, progress)

    def _slope(self) -> Callable[[float, np.ndarray], np.ndarray]:
        """dx/dt as it was read from the model, of time and the model's own columns; nothing is fitted for it."""
        try:
            return read_network(self.model, self.columns).own_slope
        except NotPiecewiseLinearError:
            program = record(unwrapped(self.model), len(self.columns), len(nets.state_places(self.columns)))
            check_continuous(program, near_samples(program, self.columns, self.calibration.inputs, self.calibration.states,
                                                   self.cases), type(unwrapped(self.model)).__name__)
            if self.fit is None:  # it can be fitted, as the refusal says
                raise
        return program.run

    def _notes(self, network: Network) -> tuple[str, ...]:
        """What there is to say of the fit."""
        if network.fitted is not None:
            return (network.fitted.words(network.widths),)
        return () if self.fit is None else ("the network is computed exactly, so a fit is not needed: nothing was fitted",)

    def _points(self) -> np.ndarray:
        """Calibration samples in the order of the module's own columns, (POINTS, columns), over the whole of them."""
        inputs, states = self.calibration.inputs, self.calibration.states
        chosen = np.linspace(0, len(states) - 1, POINTS).round().astype(int)
        signals = np.concatenate([inputs, states], axis=1)[chosen]
        return np.take(signals, nets.column_places(self.columns, inputs.shape[1]), axis=1)

    def _check_runs(self, network: Network, cases: Sequence[Case]) -> None:
        """Hold the model against what was read from it along the runs too: they may pass a branch that no sample meets."""
        if network.as_called is None:
            return
        for case in cases:
            chosen = np.unique(np.linspace(0, case.samples - 1, RUN_POINTS).round().astype(int))
            times, states = case.times[chosen], author_reference(network, case)[chosen]
            columns = network.first(case.inputs(times), states)[:, : len(self.columns)]
            check_call(unwrapped(self.model), network.own_slope, columns, times)

    def compile(self, folder: Path, options: Options | None = None, progress: Progress | None = None) -> CompiledTwin:
        """Compile and write the folder of decks; see :func:`cosim.folder.write.write_twin`."""
        check_writable(Path(folder))  # fitting a network or compiling a wide one takes minutes
        network = self.read(progress)
        calibration = self.calibration.over_time(network, max(case.duration for case in self.cases))
        cases = timed_cases(network, self.cases)
        self._check_runs(network, cases)
        options = options or Options()
        if options.trim:
            twin = trimmed_board(network, calibration, options, progress)
        elif network.fitted is not None:
            twin = compile_corrected(network, calibration, cases, options, progress)
        else:
            twin = compile_board(network, calibration, options, progress)
        if notes := self._notes(network):
            twin = replace(twin, notes=(*notes, *twin.notes))
        for note in twin.notes:
            warnings.warn(note, CosimWarning, stacklevel=2)
        write_twin(twin, cases, folder, self.subject, progress, truths=self.truths)
        return twin


_fit_of_files: ContextVar[Fit | None] = ContextVar("fit_of_files", default=None)


@contextmanager
def _blame(path: Path) -> Iterator[None]:
    """Turn whatever the user's file raises into one message that names its line; our own errors say enough."""
    try:
        yield
    except (CosimError, CircuitError, TrainingError) as error:
        raise CosimError(f"{path}: {error}") from error
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == path.resolve()]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        raise CosimError(f"{path}{f', line {line}' if line else ''}: {type(error).__name__}: {error}; correct the file and "
                         "run again") from error


def load_experiment(path: Path, fit: Fit | None = None) -> Experiment:
    """Run a user's Python file and take what its function ``experiment()`` returns.

    Args:
        fit: for experiments of the file that say nothing of a fit themselves.
    Raises:
        CosimError: no such file, no such function, it fails, or it returns something else.
    """
    if not path.is_file():
        raise CosimError(f"{path} does not exist; name a Python file with experiment(), or a checkpoint (.npz) of "
                         "`cosim train`")
    name = f"cosim_experiment_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # a dataclass in the file looks itself up there
    with _blame(path), _beside(path), _fitting(fit):
        spec.loader.exec_module(module)
    if not hasattr(module, "experiment"):
        raise CosimError(f"{path} has no function experiment(); it must return a cosim.Experiment")
    with _blame(path), _beside(path), _fitting(fit):
        experiment = module.experiment()
    if not isinstance(experiment, Experiment):
        raise CosimError(f"experiment() in {path} returned a {type(experiment).__name__}, not a cosim.Experiment")
    return experiment


@contextmanager
def _fitting(fit: Fit | None) -> Iterator[None]:
    """While a user's file runs, experiments that say nothing of a fit are fitted so."""
    token = _fit_of_files.set(fit)
    try:
        yield
    finally:
        _fit_of_files.reset(token)


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """While a user's file runs, modules that lie beside it can be imported, as when Python runs the file itself."""
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
