"""manifest.json: what a folder of decks is, enough to turn its waveforms back into model units."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from cosim.compiler.compile import CompiledTwin
from cosim.compiler.scaling import Scales
from cosim.errors import CosimError, ResultsError
from cosim.folder.decks import case_timing
from cosim.problem.case import Case
from cosim.problem.network import network_hash
from training.errors import TrainingError
from training.stimuli import STIMULI, Stimulus

NAME = "manifest.json"
FORMAT = 1
LAYER_FIELDS = ("name", "n_outputs", "n_bit_lines", "relu", "r_f", "tiles")
PACKAGES = ("cosim", "PySpice", "numpy", "scipy", "torch")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A manifest as read back."""

    folder: Path
    subject: str
    weights_sha256: str
    columns: tuple[str, ...]
    widths: tuple[int, ...]
    scales: Scales
    start: float  # s, circuit time at which integration starts
    cases: dict[str, Case]
    raw: dict  # everything, as in the file

    @property
    def weights(self) -> Path:
        return self.folder / self.raw["model"]["weights"]


def manifest_text(twin: CompiledTwin, cases: list[Case], subject: str, weights: str) -> str:
    """The file's text; the same text for the same inputs."""
    options = twin.options
    content = {
        "format": FORMAT,
        "subject": subject,
        "fidelity": options.fidelity,
        "model": {
            "sha256": network_hash(twin.network),
            "weights": weights,
            "widths": [twin.network[0].n_inputs, *(one.n_outputs for one in twin.network)],
        },
        "columns": list(twin.columns),
        "scales": {"unit": "V per model unit; time: circuit s per model s", **asdict(twin.scales)},
        "window": asdict(options.window),
        "ranges": asdict(options.ranges),
        "wires": asdict(options.wires),
        "r_board": options.r_board,
        "kappa": options.kappa,
        "neuron": options.neuron,
        **({} if options.all_cells else {"all_cells": False}),
        "lead": _digits(options.lead),
        "solver": {**asdict(options.solver), "max_step": options.max_step},
        "transistor": {**asdict(options.transistor), "on_resistance": _digits(options.transistor.on_resistance())},
        "programming": options.programming.as_dict(),
        "integrator": {"r_in": twin.board.r_in, "c_int": twin.board.c_int, "c_lead": twin.board.c_lead},
        "layers": [
            {
                "name": one.spec.name,
                "n_outputs": one.spec.n_outputs,
                "n_bit_lines": one.spec.n_bit_lines,
                "relu": one.spec.relu,
                "r_f": one.spec.r_f,
                "tiles": [{"name": t.tile.name, "first_output": t.tile.first_output, "first_line": t.tile.first_line,
                           "n_outputs": t.tile.n_outputs, "n_lines": t.tile.n_lines} for t in one.tiles],
                "g_scale": [_digits(scale / (column * one.spec.r_f)) for column in one.column_scale],
                "unreached": [{"output": r, "input": c, "residual": _digits(value)}
                              for r, c, value in one.unreached()],
            }
            for one, scale in zip(twin.layers, (*twin.scales.hidden, twin.scales.derivative), strict=True)
        ],
        "cases": [
            {
                "name": case.name,
                "deck": f"{case.name}.cir",
                "stimuli": [{"name": s.name, **asdict(s)} for s in case.stimuli],
                "initial": list(case.initial),
                "duration": case.duration,
                "samples": case.samples,
                "start": case_timing(twin, case).start,
            }
            for case in cases
        ],
        "versions": {name: version(name).split("+")[0] for name in PACKAGES},
    }
    return json.dumps(content, indent=1) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """Read ``folder/manifest.json``.

    Raises:
        ResultsError: missing, not JSON, of another format, or without a field; says which.
    """
    path = Path(folder) / NAME
    if not path.is_file():
        raise ResultsError(f"{path} does not exist; make the folder with `cosim compile`")
    try:
        raw = json.loads(path.read_text())
        if raw["format"] != FORMAT:
            raise ResultsError(f"{path} has format {raw['format']}, this version reads {FORMAT}; compile again")
        for part, keys in ((raw["model"], ("weights",)), *((one, LAYER_FIELDS) for one in raw["layers"])):
            if missing := [key for key in keys if key not in part]:
                raise KeyError(missing[0])
        scales = {key: tuple(v) if isinstance(v, list) else v for key, v in raw["scales"].items() if key != "unit"}
        for key, value in scales.items():
            if not all(float(one) > 0 for one in (value if isinstance(value, tuple) else (value,))):
                raise ValueError(f"scale {key} = {value}, must be above 0")
        cases = {
            one["name"]: Case(name=one["name"], stimuli=tuple(_stimulus(s) for s in one["stimuli"]),
                              initial=tuple(one["initial"]), duration=one["duration"], samples=one["samples"])
            for one in raw["cases"]
        }
        return Manifest(folder=Path(folder), subject=str(raw["subject"]), weights_sha256=raw["model"]["sha256"],
                        columns=tuple(raw["columns"]), widths=tuple(raw["model"]["widths"]), scales=Scales(**scales),
                        start=float(raw["cases"][0]["start"]), cases=cases, raw=raw)
    except ResultsError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, CosimError, TrainingError) as error:
        raise ResultsError(f"{path} is damaged ({type(error).__name__}: {error}); compile again") from error


def _digits(value: float) -> float:
    """Nine significant digits: beyond them two machines' linear algebra may differ."""
    return float(f"{value:.9g}")


def _stimulus(fields: dict) -> Stimulus:
    return type(STIMULI[fields["name"]])(**{key: value for key, value in fields.items() if key != "name"})
