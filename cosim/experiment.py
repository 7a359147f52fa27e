"""An experiment: a network, what it is fed, and the runs it is compared on."""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from circuits.board import nets
from circuits.errors import CircuitError
from cosim.compiler.compile import CompiledTwin, check_calibration, compile_board
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.console import Progress
from cosim.errors import CosimError
from cosim.folder.write import write_twin
from cosim.problem.case import Case
from cosim.problem.network import Network, read_network
from cosim.store.files import check_writable
from training.errors import TrainingError


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Everything the compiler needs, in one object."""

    subject: str  # for titles, e.g. "HP memristor, current drive"
    model: nn.Module  # derivative network; inputs are the external inputs, then the states
    columns: tuple[str, ...]  # ("u0", "x0"): what each input of the model is
    calibration: Calibration
    cases: tuple[Case, ...]

    def __post_init__(self) -> None:
        network = self.read()
        check_calibration(network, self.calibration)
        # The torch reference feeds the network in this order, so another one would compare with a different network.
        wanted = nets.standard_columns(network.n_external, network.n_states)
        if network.columns != wanted:
            raise CosimError(f"experiment {self.subject!r}: columns {self.columns}, but an experiment's network takes the "
                             f"external inputs first, then the states: {wanted}")
        names = [case.name for case in self.cases]
        if not names or len(set(names)) != len(names):
            raise CosimError(f"experiment {self.subject!r}: cases {names}; give at least one, each a name of its own")
        for case in self.cases:
            for what, values, wanted in (("stimuli", case.stimuli, network.columns[: network.n_external]),
                                         ("initial", case.initial, network.columns[network.n_external :])):
                if len(values) != len(wanted):
                    raise CosimError(f"experiment {self.subject!r}, case {case.name}: {what} has {len(values)} values, the "
                                     f"network takes {len(wanted)} ({', '.join(wanted) or 'none'}); give as many")

    def read(self) -> Network:
        """The network as it is now, weights copied."""
        return read_network(self.model, self.columns)

    def compile(self, folder: Path, options: Options | None = None, progress: Progress | None = None) -> CompiledTwin:
        """Compile and write the folder of decks; see :func:`cosim.folder.write.write_twin`."""
        check_writable(Path(folder))  # compiling a wide network takes minutes
        twin = compile_board(self.read(), self.calibration, options, progress)
        write_twin(twin, self.cases, folder, self.subject, progress)
        return twin


@contextmanager
def _blame(path: Path) -> Iterator[None]:
    """Turn whatever the user's file raises into one message that names its line; our own errors say enough."""
    try:
        yield
    except (CosimError, CircuitError, TrainingError) as error:
        raise CosimError(f"{path}: {error}") from error
    except (Exception, SystemExit) as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        raise CosimError(f"{path}{f', line {line}' if line else ''}: {type(error).__name__}: {error}; correct the file and "
                         "run again") from error


def load_experiment(path: Path) -> Experiment:
    """Run a user's Python file and take what its function ``experiment()`` returns.

    Raises:
        CosimError: no such file, no such function, it fails, or it returns something else.
    """
    if not path.is_file():
        raise CosimError(f"{path} does not exist; name a checkpoint (.npz) or a Python file with experiment()")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    with _blame(path):
        spec.loader.exec_module(module)
    if not hasattr(module, "experiment"):
        raise CosimError(f"{path} has no function experiment(); it must return a cosim.experiment.Experiment")
    with _blame(path):
        found = module.experiment()
    if not isinstance(found, Experiment):
        raise CosimError(f"experiment() in {path} returned a {type(found).__name__}, not a cosim.experiment.Experiment")
    return found
