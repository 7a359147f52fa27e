"""manifest.json: what a folder of decks is, enough to turn its waveforms back into model units."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from circuits.array.programming import Programming
from circuits.array.window import Window
from circuits.board.board import BoardSpec
from circuits.errors import CircuitError
from circuits.netlist.solver import Solver
from cosim.compiler.compiled_twin import CompiledLayer, CompiledTwin
from cosim.compiler.options import FIDELITIES
from cosim.compiler.scaling import Ranges, Scales
from cosim.errors import CosimError, ResultsError
from cosim.folder.arrays import ArrayFile
from cosim.folder.board_fields import board_fields, digits, read_board_fields
from cosim.folder.case_fields import array_files, read_case, read_truth_record
from cosim.folder.decks import case_timing
from cosim.problem.case import Case
from cosim.problem.fitted import Fitted
from training.errors import TrainingError

MANIFEST_NAME = "manifest.json"
CALL, CALL_CONSTANTS = "call.json", "call.npz"  # the author's own computation, where it is no plain chain
CORNER_FIELD = "corner"  # of a folder of decks at a corner
FORMAT = 1
PACKAGES = ("cosim", "PySpice", "numpy", "scipy", "torch")


@dataclass(frozen=True, kw_only=True)
class Unreached:
    """A weight that the conductance window did not allow."""

    output: int
    input: int  # of the layer; the bias is the last
    residual: float  # S, wanted less reached


@dataclass(frozen=True, kw_only=True)
class LayerRecord:
    """What the compiler chose for the weights of a layer, beside the topology that the board holds."""

    name: str
    g_scale: np.ndarray  # (columns,) S per unit weight; (outputs, columns) where outputs have scales of their own
    unreached: tuple[Unreached, ...]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A manifest as read back."""

    folder: Path
    subject: str
    fidelity: str  # of the decks: "flat" or "macro"
    weights: Path
    weights_sha256: str  # of the network, see cosim.problem.network.Network.hash
    call_sha256: str  # of the author's own computation, see cosim.problem.as_called; "": it is the chain itself
    fitted: Fitted | None  # how far the network is from that computation; None: it computes the same
    board: BoardSpec  # topology; nothing of it is reduced
    layers: tuple[LayerRecord, ...]
    scales: Scales
    window: Window
    ranges: Ranges
    lead: float  # s, circuit time, see cosim.compiler.options.Options
    trim: bool  # whether the board is trimmed, see the same
    solver: Solver
    max_step: float  # model s
    programming: Programming
    corner: str  # name of the corner that the decks are at; "": the nominal board
    start: float  # s, circuit time at which integration starts
    cases: dict[str, Case]
    truths: dict[str, ArrayFile]  # case -> what the system really does, of cases whose truth is known
    array_files: tuple[str, ...]  # below the folder: samples of stimuli, and truths
    versions: dict[str, str]  # of the packages that compiled the folder
    text: str  # the whole file, for keys of what is made from it

    @property
    def columns(self) -> tuple[str, ...]:
        return self.board.columns

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs, then the outputs of every layer."""
        return (self.board.layers[0].n_inputs, *(layer.n_outputs for layer in self.board.layers))


def manifest_text(twin: CompiledTwin, cases: Sequence[tuple[Case, Mapping[str, Any]]], subject: str, weights: str) -> str:
    """The file's text; the same text for the same inputs.

    Args:
        cases: each with its stimuli and truth as fields, see :func:`cosim.folder.case_fields.case_records`.
        weights: name of the file of weights.
    """
    options, board = twin.options, board_fields(twin.board)
    content = {
        "format": FORMAT,
        "subject": subject,
        "fidelity": options.fidelity,
        "model": {"sha256": twin.network.hash, "weights": weights, "widths": list(twin.network.widths),
                  **({"call_sha256": twin.network.as_called.hash} if twin.network.as_called else {}),
                  **({"fitted": asdict(twin.network.fitted)} if twin.network.fitted else {})},
        "columns": board["columns"],
        "scales": {"unit": "V per model unit; time: circuit s per model s", **twin.scales.as_fields()},
        "window": asdict(options.window),
        "ranges": asdict(options.ranges),
        "wires": board["wires"],
        "r_board": board["r_board"],
        "kappa": board["kappa"],
        "neuron": board["neuron"],
        **{name: board[name] for name in ("all_cells",) if name in board},
        "lead": digits(options.lead),
        **({"trim": True} if options.trim else {}),
        "solver": {**asdict(options.solver), "max_step": options.max_step},
        "transistor": board["transistor"],
        "programming": asdict(options.programming),
        "integrator": board["integrator"],
        "layers": [
            {
                **fields,
                "g_scale": _g_scale(layer),
                "unreached": [{"output": output, "input": column, "residual": digits(residual)}
                              for output, column, residual in layer.unreached()],
            }
            for fields, layer in zip(board["layers"], twin.layers, strict=True)
        ],
        "cases": [
            {
                "name": case.name,
                "deck": f"{case.name}.cir",
                "stimuli": fields["stimuli"],
                "initial": list(case.initial),
                "duration": case.duration,
                "samples": case.samples,
                "start": case_timing(twin, case).start,
                **{name: value for name, value in fields.items() if name != "stimuli"},
            }
            for case, fields in cases
        ],
        "versions": {name: version(name).split("+")[0] for name in PACKAGES},
    }
    return json.dumps(content, indent=1) + "\n"


def _g_scale(layer: CompiledLayer) -> list[float] | list[list[float]]:
    rows = [[digits(out / (column * layer.spec.r_f)) for column in layer.column_scale] for out in layer.out_scale]
    return rows[0] if all(row == rows[0] for row in rows) else rows


def read_manifest(folder: Path) -> Manifest:
    """Read ``folder/manifest.json``.

    Raises:
        ResultsError: missing, not JSON, of another format, or with a field that is missing or wrong; says which.
    """
    path = Path(folder) / MANIFEST_NAME
    if not path.is_file():
        raise ResultsError(f"{path} does not exist; make the folder with `cosim compile`")
    try:
        text = path.read_text()
        fields = json.loads(text)
        if fields["format"] != FORMAT:
            raise ResultsError(f"{path} has format {fields['format']}, this version reads {FORMAT}; compile again")
        return _manifest(Path(folder), text, fields)
    except ResultsError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, CosimError, CircuitError, TrainingError) as error:
        raise ResultsError(f"{path} is damaged ({type(error).__name__}: {error}); compile again") from error


def _manifest(folder: Path, text: str, fields: Mapping[str, Any]) -> Manifest:
    model, solver = fields["model"], dict(fields["solver"])
    if fields["fidelity"] not in FIDELITIES:
        raise ValueError(f"fidelity {fields['fidelity']!r} is none of {', '.join(FIDELITIES)}")
    return Manifest(
        folder=folder, text=text, corner=str(fields[CORNER_FIELD]["name"]) if CORNER_FIELD in fields else "",
        subject=str(fields["subject"]), fidelity=str(fields["fidelity"]),
        weights=folder / model["weights"], weights_sha256=model["sha256"],
        call_sha256=str(model.get("call_sha256", "")), fitted=Fitted(**model["fitted"]) if "fitted" in model else None,
        scales=_scales(fields["scales"], model["widths"]),
        window=Window(**fields["window"]), ranges=Ranges(**fields["ranges"]),
        board=read_board_fields(fields, model["widths"][0]),
        layers=tuple(LayerRecord(name=layer["name"], g_scale=np.array(layer["g_scale"], dtype=float),
                                 unreached=tuple(Unreached(**cell) for cell in layer["unreached"]))
                     for layer in fields["layers"]),
        lead=float(fields["lead"]), trim=bool(fields.get("trim", False)),
        max_step=float(solver.pop("max_step")), solver=Solver(**solver),
        programming=Programming(**fields["programming"]), start=float(fields["cases"][0]["start"]),
        cases={case["name"]: read_case(case, folder) for case in fields["cases"]},
        truths={case["name"]: record for case in fields["cases"] if (record := read_truth_record(case))},
        array_files=tuple(array_files(fields["cases"])), versions=dict(fields["versions"]))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _scales(fields: Mapping[str, Any], widths: Sequence[int]) -> Scales:
    n_states = widths[-1]
    scales = {key: _tuples(value) for key, value in fields.items() if key != "unit"}
    for key, value in scales.items():
        if not all((np.array(layer, dtype=float) > 0).all() for layer in (value if isinstance(value, tuple) else (value,))):
            raise ValueError(f"scale {key} = {value}, must be above 0")
    for name in ("state", "derivative"):
        value = scales.pop(name)
        scales[f"{name}s"] = value if isinstance(value, tuple) else (float(value),) * n_states
        if len(scales[f"{name}s"]) != n_states:
            raise ValueError(f"scale {name} has {len(value)} values for {n_states} states")
    if len(scales["hidden"]) != len(widths) - 2:
        raise ValueError(f"scale hidden has {len(scales['hidden'])} entries for {len(widths) - 2} hidden layers")
    for number, (layer, width) in enumerate(zip(scales["hidden"], widths[1:], strict=False), start=1):
        if isinstance(layer, tuple) and len(layer) != width:
            raise ValueError(f"scale hidden of layer {number} has {len(layer)} values for {width} neurons")
    return Scales(**scales)
