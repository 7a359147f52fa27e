"""Lowering: a recorded program as affine functions of its inputs and of ReLU neurons, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cosim.errors import NotPiecewiseLinearError, UnsupportedModelError
from cosim.problem.lowering.affine_rules import JOINTLY, SEPARATELY, SHAPE_ONLY, apply_affine
from cosim.problem.lowering.basis import AffineTensor, Basis
from cosim.problem.lowering.pieces import Pieces
from cosim.problem.lowering.program import ALLOWED, COLUMNS, DTYPE, OF_TIME, TIME, Program, Ref, Step, apply, refs_of, replaced
from cosim.problem.lowering.relu_rules import RULES

SMOOTH = frozenset("tanh sigmoid softplus elu celu gelu silu mish hardswish hardsigmoid log_sigmoid_forward erf exp log log1p "
                   "sin cos tan sqrt rsqrt pow square reciprocal native_layer_norm native_group_norm".split())
FITTING = ("let the network be fitted by a ReLU network: fit=Fit() in the Experiment, or `cosim compile --fit`, which "
           "states the error")


@dataclass(frozen=True, kw_only=True, eq=False)
class Lowered:
    """dx/dt as affine functions of the inputs and of neurons. Inputs are the columns, then time, then the time signals."""

    basis: Basis
    result: np.ndarray  # (1 + signals, n_states) coefficients of the derivatives
    time_signals: tuple[tuple[str, int], ...]  # (value of the program, entry): functions of time alone that are not affine
    values: Mapping[str, AffineTensor]  # of every step, to find where two evaluations part

    def inputs(self, program: Program, t: float, columns: np.ndarray) -> np.ndarray:
        """All inputs (n,) at a time [model s] and columns (n_columns,)."""
        if not self.time_signals:
            return np.concatenate([columns, [t]])
        values = program.values(t, columns)
        return np.concatenate([columns, [t], [float(values[name].reshape(-1)[entry]) for name, entry in self.time_signals]])

    def evaluate(self, inputs: np.ndarray) -> np.ndarray:
        """dx/dt (m, n_states) for inputs (m, n)."""
        return self.basis.values(inputs) @ self.result


def lower(program: Program, n_columns: int, name: str, pieces: Pieces | None = None) -> Lowered:
    """Lower a program, exactly; what is not piecewise linear in pieces where they are given.

    Args:
        n_columns: numbers in its input z.
        name: of the model, for messages.
        pieces: for what is not exact; None: it is refused.
    Raises:
        NotPiecewiseLinearError: an operation that is neither affine nor piecewise linear; names it, its place and the mend.
        UnsupportedModelError: one that no network can be fitted to either, such as a random one.
    """
    kinds = _depends_on(program)
    opaque = _opaque_in_time(program, kinds)
    sample = program.values(0.3, np.linspace(0.1, 0.9, n_columns)) if opaque else {}
    entries = tuple((signal, entry) for signal in opaque for entry in range(sample[signal].numel()))
    basis = Basis(n_inputs=n_columns + 1 + len(entries))
    values: dict[str, Any] = dict(program.tensors)
    values[COLUMNS] = basis.inputs(0, program.shape)
    values[TIME] = basis.inputs(n_columns, ())
    place = n_columns + 1
    for signal in opaque:
        values[signal] = basis.inputs(place, tuple(sample[signal].shape))
        place += sample[signal].numel()
    behind = _before(program, opaque)  # steps that only lead to a time signal
    for step in program.steps:
        if step.name not in values and step.name not in behind:
            values[step.name] = _value(step, values, basis, name, pieces)
    result = values[program.result]
    if not isinstance(result, AffineTensor):
        raise UnsupportedModelError(f"model {name}: its derivatives do not depend on its inputs")
    rows = result.widened(1 + len(basis))
    return Lowered(basis=basis, result=rows.reshape(len(rows), -1).numpy(), time_signals=entries,
                   values={key: value for key, value in values.items() if isinstance(value, AffineTensor)})


def _depends_on(program: Program) -> dict[str, str]:
    """Of every value: "columns" where it depends on them, "time" where on time alone; of others nothing."""
    kinds = {TIME: "time", COLUMNS: "columns"}
    for step in program.steps:
        fed = {kinds[ref] for ref in refs_of(step) if ref in kinds}
        if fed and not (step.operation != "getitem" and step.operation.split(".")[1] in SHAPE_ONLY):
            kinds[step.name] = "columns" if "columns" in fed else "time"
    return kinds


def _opaque_in_time(program: Program, kinds: Mapping[str, str]) -> list[str]:
    """Functions of time alone that are neither affine nor piecewise linear in it, the last of a chain of them: further inputs
    of the board, which know no columns."""
    opaque: set[str] = set()
    for step in program.steps:
        if kinds.get(step.name) != "time":
            continue
        moving = [ref for ref in refs_of(step) if kinds.get(ref) == "time"]
        operation = "getitem" if step.operation == "getitem" else step.operation.split(".")[1]
        plain = operation == "getitem" or operation in JOINTLY or operation in RULES or (
            operation in SEPARATELY and len(moving) == 1 and operation not in ("div", "true_divide")) or (
            operation in ("div", "true_divide") and len(moving) == 1 and isinstance(step.args[0], Ref)
            and step.args[0].name == moving[0])
        if not plain or any(ref in opaque for ref in moving):
            opaque.add(step.name)
    taken = {ref for step in program.steps if kinds.get(step.name) == "columns" for ref in refs_of(step)} | {program.result}
    return [step.name for step in program.steps if step.name in opaque and step.name in taken]


def _before(program: Program, opaque: Sequence[str]) -> set[str]:
    """Steps that nothing but a time signal depends on."""
    wanted = {program.result}
    for step in reversed(program.steps):
        if step.name in wanted and step.name not in opaque:
            wanted |= set(refs_of(step))
    return {step.name for step in program.steps if step.name not in wanted}


def _value(step: Step, values: dict[str, Any], basis: Basis, name: str, pieces: Pieces | None) -> Any:
    if pieces is None:
        return _exact_value(step, values, basis, name)
    refs = refs_of(step)
    if not pieces.takes(step, refs, values):
        try:
            value = _exact_value(step, values, basis, name)
        except UnsupportedModelError as refusal:
            value = pieces.value(step, refs, values, basis)
            if value is None:
                raise refusal from None
            return value
        pieces.note(step, refs)
        return value
    value = pieces.value(step, refs, values, basis)
    if value is None:
        raise UnsupportedModelError(f"model {name}: {step.operation}{_at(step)} takes a comparison, which has no value on a "
                                    "board, together with something else")
    return value


def _exact_value(step: Step, values: dict[str, Any], basis: Basis, name: str) -> Any:
    taken = [values[ref] for ref in refs_of(step)]
    symbolic = [value for value in taken if _is_symbolic(value)]
    if step.operation == "getitem":
        return values[refs_of(step)[0]][step.args[1]]
    operation = step.operation.split(".")[1]
    if not symbolic or operation in SHAPE_ONLY:
        if operation not in ALLOWED | OF_TIME:
            raise UnsupportedModelError(_refusal(step, operation, symbolic, name))
        return apply(step, lambda ref: _plain_value(values[ref.name]))
    if operation in JOINTLY or (operation in SEPARATELY and _one_moves(operation, symbolic)):
        return apply_affine(step, values, 1 + len(basis))
    if operation in RULES:
        return _by_rule(step, operation, values, basis, name)
    if operation == "threshold" and tuple(step.args[1:]) == (0, 0):
        return RULES["relu"](basis, symbolic[0])
    raise NotPiecewiseLinearError(_refusal(step, operation, symbolic, name))


def check_operations(program: Program, name: str) -> None:
    """Refuse operations that give no derivative of the inputs alone, which no network can be fitted to either.

    Raises:
        UnsupportedModelError: names the operation and its place.
    """
    kinds = _depends_on(program)
    for step in program.steps:
        operation = "getitem" if step.operation == "getitem" else step.operation.split(".")[1]
        trains = (operation.startswith("_native_batch_norm_legit") and not operation.endswith("no_training")) or (
            operation == "native_batch_norm" and bool(step.args[5]))
        of_time = operation in OF_TIME and kinds.get(step.name) != "columns"
        if operation != "getitem" and (trains or operation not in ALLOWED) and not of_time:
            raise UnsupportedModelError(_refusal(step, operation, [], name))


def _is_symbolic(value: Any) -> bool:
    return isinstance(value, AffineTensor)


def _plain_value(value: Any) -> Any:
    return torch.zeros(value.shape, dtype=DTYPE) if isinstance(value, AffineTensor) else value


def _one_moves(operation: str, symbolic: list[AffineTensor]) -> bool:
    """Whether a product has one factor that moves; of addmm the summand may move as well."""
    return sum(not value.is_constant for value in symbolic) <= 1 or (operation in ("addmm", "baddbmm") and len(symbolic) < 2)


def _by_rule(step: Step, operation: str, values: dict[str, Any], basis: Basis, name: str) -> AffineTensor:
    def put(ref: Ref) -> Any:
        value = values[ref.name]
        if operation in ("maximum", "minimum") and isinstance(value, Tensor):
            return AffineTensor(rows=value.to(DTYPE)[None])
        return value

    args, kwargs = replaced(step.args, put), replaced(dict(step.kwargs), put)
    if "min" in kwargs or "max" in kwargs:
        kwargs = {"low": kwargs.get("min"), "high": kwargs.get("max")}
    if any(isinstance(argument, AffineTensor) for argument in args[1:]) and operation not in ("maximum", "minimum"):
        raise NotPiecewiseLinearError(f"model {name}: {operation}{_at(step)} has a limit or slope that depends on the inputs; "
                                      f"make it a constant, use torch.maximum and torch.minimum, or {FITTING}")
    if operation in ("amax", "amin") and len(args) > 1:
        args = (args[0], tuple(args[1]), *args[2:])
    return RULES[operation](basis, *args, **kwargs)


def _refusal(step: Step, operation: str, symbolic: list[AffineTensor], name: str) -> str:
    where = f"model {name}: {operation}{_at(step)}"
    if operation in ("native_batch_norm", "_native_batch_norm_legit"):
        return f"{where} is a batch norm in training, which depends on the other samples; call model.eval() first"
    if operation in SEPARATELY:
        return f"{where} multiplies two values that both depend on the inputs; a board has fixed weights: {FITTING}"
    if operation in SMOOTH:
        return f"{where} is no piecewise linear function, of which the board is made; train with ReLU, or {FITTING}"
    if operation in OF_TIME:
        return f"{where} jumps from one number to another; a board is continuous: use a ramp instead, e.g. torch.clamp"
    if operation not in ALLOWED:
        return (f"{where} can be neither computed exactly nor fitted; write it with Linear, ReLU and smooth functions such as "
                "torch.tanh")
    return f"{where} is no operation that the board has a circuit for; use Linear, ReLU and what is made of them, or {FITTING}"


def _at(step: Step) -> str:
    return f" ({step.place})" if step.place else ""
