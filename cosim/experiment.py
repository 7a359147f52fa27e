"""An experiment: a network, what it is fed, and the runs it is compared on."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from cosim.case import Case
from cosim.compiler import CompiledTwin, Options, compile_network
from cosim.errors import CosimError
from cosim.scaling import Calibration
from cosim.twin_folder import write_twin


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Everything the compiler needs, in one object."""

    subject: str  # for titles, e.g. "HP memristor, current drive"
    model: nn.Module  # derivative network; inputs are the external inputs, then the states
    columns: tuple[str, ...]  # ("u0", "x0"): what each input of the model is
    calibration: Calibration
    cases: tuple[Case, ...]

    def compile(self, folder: Path, options: Options | None = None) -> CompiledTwin:
        """Compile and write the folder of decks; see :func:`cosim.twin_folder.write_twin`."""
        twin = compile_network(self.model, columns=self.columns, calibration=self.calibration, options=options)
        write_twin(twin, self.model, list(self.cases), folder, self.subject)
        return twin


def load_experiment(path: Path) -> Experiment:
    """Run a user's Python file and take what its function ``experiment()`` returns.

    Raises:
        CosimError: no such file, no such function, or it returns something else.
    """
    if not path.is_file():
        raise CosimError(f"{path} does not exist; name a checkpoint (.npz) or a Python file with experiment()")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "experiment"):
        raise CosimError(f"{path} has no function experiment(); it must return a cosim.experiment.Experiment")
    found = module.experiment()
    if not isinstance(found, Experiment):
        raise CosimError(f"experiment() in {path} returned a {type(found).__name__}, not a cosim.experiment.Experiment")
    return found
