"""Compile a neural ODE trained in torch into ngspice decks of an analogue memristor computer, simulate, compare with torch.

    from cosim import Calibration, Case, Experiment, compile_network, simulate, compare

Each name is imported when it is first used, so that ``import cosim`` takes no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from circuits.corners.corner import CORNERS, Corner
    from cosim.comparison.comparison import Comparison
    from cosim.comparison.gate import Gate
    from cosim.compiler.options import Options
    from cosim.compiler.scaling import Calibration
    from cosim.errors import CosimError
    from cosim.experiment import Experiment, load_experiment
    from cosim.folder.compiled import CompiledNetwork
    from cosim.front_door import compare, compile_network, load, simulate
    from cosim.problem.case import Case
    from cosim.problem.fitting.options import Fit
    from cosim.report.page import Figure, Section, Table
    from cosim.simulation.simulated import Simulation
    from cosim.studies.base.sections import standard_sections
    from cosim.studies.base.study import Study
    from cosim.studies.base.trained_once import trained_once
    from cosim.studies.report import write_report
    from training.stimuli import (
        Chirp,
        Constant,
        Function,
        ModulatedSine,
        Noise,
        PulseTrain,
        Ramp,
        Rectangular,
        Sampled,
        Sine,
        Step,
        Stimulus,
        Triangular,
        as_stimulus,
    )

    __version__: str

_HOMES = {
    "circuits.corners.corner": ("CORNERS", "Corner"),
    "cosim.comparison.comparison": ("Comparison",),
    "cosim.comparison.gate": ("Gate",),
    "cosim.compiler.options": ("Options",),
    "cosim.compiler.scaling": ("Calibration",),
    "cosim.errors": ("CosimError",),
    "cosim.experiment": ("Experiment", "load_experiment"),
    "cosim.problem.fitting.options": ("Fit",),
    "cosim.folder.compiled": ("CompiledNetwork",),
    "cosim.front_door": ("compare", "compile_network", "load", "simulate"),
    "cosim.problem.case": ("Case",),
    "cosim.report.page": ("Figure", "Section", "Table"),
    "cosim.simulation.simulated": ("Simulation",),
    "cosim.studies.base.sections": ("standard_sections",),
    "cosim.studies.base.study": ("Study",),
    "cosim.studies.base.trained_once": ("trained_once",),
    "cosim.studies.report": ("write_report",),
    "training.stimuli": ("Chirp", "Constant", "Function", "ModulatedSine", "Noise", "PulseTrain", "Ramp", "Rectangular",
                         "Sampled", "Sine", "Step", "Stimulus", "Triangular", "as_stimulus"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CORNERS", "Calibration", "Case", "Chirp", "Comparison", "CompiledNetwork", "Constant", "Corner", "CosimError",
    "Experiment", "Figure", "Fit", "Function", "Gate", "ModulatedSine", "Noise", "Options", "PulseTrain", "Ramp", "Rectangular",
    "Sampled", "Section", "Simulation", "Sine", "Step", "Stimulus", "Study", "Table", "Triangular", "__version__",
    "as_stimulus", "compare", "compile_network", "load", "load_experiment", "simulate", "standard_sections",
    "trained_once", "write_report",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("cosim")
    if name not in _HOME:
        raise AttributeError(f"module 'cosim' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
