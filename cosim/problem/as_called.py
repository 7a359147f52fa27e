"""A network as its author's module computes it when it is called: recorded, lowered to a chain, and held against the call."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cosim.errors import NotPiecewiseLinearError, UnsupportedModelError
from cosim.problem.lowering.calling import takes_time
from cosim.problem.lowering.layers import Laid, lay
from cosim.problem.lowering.lower import Lowered, check_operations, lower
from cosim.problem.lowering.program import Program, read_program
from cosim.problem.lowering.record import record

EXACT = 1e-9  # of the largest derivative: recorded program against lowered chain, both in double
# What a call in the module's own type may be off the same in double, of the largest derivative.
ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-4, torch.bfloat16: 0.1, torch.float16: 0.02}


@dataclass(frozen=True, kw_only=True, eq=False)
class AsCalled:
    """The module's own computation, which ``compare`` takes as its reference, and the inputs that it makes of time."""

    program: Program
    columns: tuple[str, ...]  # what each number of the program's z is
    time_inputs: tuple[TimeInput, ...]  # further external inputs of the board, after the module's own

    def derivative(self, t: float, columns: np.ndarray) -> np.ndarray:
        """dx/dt (n_states,) at time t [model s] and columns (n,), model units."""
        return self.program.run(t, columns)

    def encode(self) -> tuple[str, bytes]:
        """As text and as the bytes of its constants; :func:`decode` reads them. The same for the same network."""
        buffer = io.BytesIO()
        np.savez(buffer, **{name: self.program.constants[name] for name in sorted(self.program.constants)})
        fields = {"columns": list(self.columns), "time_inputs": [[signal.value, signal.entry] for signal in self.time_inputs],
                  "program": json.loads(self.program.to_json())}
        return json.dumps(fields, indent=1) + "\n", buffer.getvalue()

    @property
    def hash(self) -> str:
        """SHA-256 of text and constants."""
        text, constants = self.encode()
        return hashlib.sha256(text.encode() + constants).hexdigest()


@dataclass(frozen=True, kw_only=True, eq=False)
class TimeInput:
    """A function of time alone that the module computes, e.g. time itself: an external input of the board."""

    program: Program
    value: str  # name of the program's value; "": time itself
    entry: int  # of that value

    def __call__(self, t: float) -> float:
        """Value at time t [model s], model units."""
        if not self.value:
            return t
        return float(self.program.values(t, np.zeros(int(np.prod(self.program.shape))))[self.value].reshape(-1)[self.entry])


def decode(text: str, constants: bytes) -> AsCalled:
    """What :meth:`AsCalled.encode` wrote.

    Raises:
        ValueError, LookupError, TypeError: it is damaged, or holds an operation that no network is made of.
    """
    fields = json.loads(text)
    with np.load(io.BytesIO(constants), allow_pickle=False) as archive:
        program = read_program(json.dumps(fields["program"]), dict(archive))
    return AsCalled(program=program, columns=tuple(fields["columns"]), time_inputs=tuple(
        TimeInput(program=program, value=value, entry=entry) for value, entry in fields["time_inputs"]))


def read_call(module: Callable[..., Tensor], columns: tuple[str, ...], n_states: int) -> tuple[AsCalled, Laid]:
    """Record a call of a module and lower it to a chain of layers.

    Args:
        columns: what each number that the module takes is.
    Returns:
        The recorded call, and the chain, whose inputs are the columns and then the time inputs.
    Raises:
        NotPiecewiseLinearError: it holds something that is not piecewise linear, which may be fitted.
        UnsupportedModelError: it cannot be called so, or holds something that cannot be fitted either.
    """
    name = type(module).__name__
    program = record(module, len(columns), n_states)
    try:
        lowered = lower(program, len(columns), name)
    except NotPiecewiseLinearError:
        check_operations(program, name)  # whose refusal is told first: it holds with a fit too
        raise
    laid = lay(lowered)
    _check_lowered(program, lowered, laid, len(columns), name)
    return with_time_inputs(program, columns, lowered.time_signals, laid)


def with_time_inputs(program: Program, columns: tuple[str, ...], time_signals: Sequence[tuple[str, int]],
                     laid: Laid) -> tuple[AsCalled, Laid]:
    """A recorded call and a chain whose inputs are the columns, time and the time signals; without those that it leaves out."""
    unused = [k for k in range(len(columns), laid.weights[0].shape[1]) if not laid.used_inputs[k]]
    values = [("", 0), *time_signals]
    kept = [place for place in range(len(values)) if len(columns) + place not in unused]
    time_inputs = tuple(TimeInput(program=program, value=values[place][0], entry=values[place][1]) for place in kept)
    return AsCalled(program=program, columns=columns, time_inputs=time_inputs), laid.without_inputs(unused)


def check_call(module: Callable[..., Tensor], derivative: Callable[[float, np.ndarray], np.ndarray], columns: np.ndarray,
               times: np.ndarray) -> None:
    """Refuse a module that gives something else when it is called than what was read from it.

    Args:
        derivative: what was read: dx/dt (n_states,) at time [model s] and columns (n,).
        columns: (m, n) points at which to call it; times: (m,) model seconds.
    Raises:
        UnsupportedModelError: names the point where they part most, and what may be the reason.
    """
    timed, name = takes_time(module), type(module).__name__
    tensors = [*module.parameters(), *module.buffers()] if isinstance(module, nn.Module) else []
    kinds = [tensor.dtype for tensor in tensors if tensor.is_floating_point()]
    apart, largest, worst = 0.0, 0.0, 0
    for number, (t, point) in enumerate(zip(times, columns, strict=True)):
        expected = derivative(float(t), point)
        with _Kinds() as seen:
            called, kind = _call(module, timed, float(t), point, kinds[:1] or [torch.float64, torch.float32])
        if not kinds and torch.float32 in seen.kinds:  # a function's own numbers, which it does not show
            kind = torch.float32
        if called.shape != expected.shape:
            raise UnsupportedModelError(f"model {name}: called, it gives {called.size} numbers, read, {expected.size}")
        if not np.isfinite(called).all():
            raise UnsupportedModelError(f"model {name}: called at t = {t:.4g}, z = {np.array2string(point, precision=4)} it "
                                        f"gives {called}; calibrate, and run, where it is finite")
        largest = max(largest, float(np.abs(expected).max()))
        if (off := float(np.abs(called - expected).max())) > apart or not np.isfinite(off):
            apart, worst = off, number
    if not apart <= ROUNDING.get(kind, EXACT) * (largest or 1.0):
        raise UnsupportedModelError(
            f"model {name}: called at t = {times[worst]:.4g}, z = {np.array2string(columns[worst], precision=4)} it is off by "
            f"{apart:.3g} of {largest:.3g} from what was read from it; its forward does something that a recording does not "
            "see (numpy, a branch, randomness, a state of its own): write it with torch operations of its inputs alone")


class _Kinds(TorchDispatchMode):
    """The floating types that a call computes in."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: set[torch.dtype] = set()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        self.kinds |= {leaf.dtype for leaf in tree_leaves((args, result)) if isinstance(leaf, Tensor)}
        return result


@torch.no_grad()
def _call(module: Callable[..., Tensor], timed: bool, t: float, point: np.ndarray,
          kinds: list[torch.dtype]) -> tuple[np.ndarray, torch.dtype]:
    failed: Exception | None = None
    for kind in kinds:
        for shape in ((1, len(point)), (len(point),)):
            z = torch.as_tensor(point, dtype=torch.float64).reshape(shape).to(kind)
            try:
                value = module(torch.tensor(t, dtype=kind), z) if timed else module(z)
            except Exception as error:  # noqa: BLE001 - the last of them is raised
                failed = failed or error
                continue
            return value.detach().double().reshape(-1).numpy(), kind
    raise UnsupportedModelError(f"model {type(module).__name__} cannot be called: {failed}") from failed


def _check_lowered(program: Program, lowered: Lowered, laid: Laid, n_columns: int, name: str) -> None:
    """Refuse a chain that is not the program; names the first step at which they part."""
    rng = np.random.default_rng(0)
    for scale in (0.1, 1.0, 10.0):
        t, columns = float(rng.uniform(0, 1)), scale * rng.uniform(-1, 1, n_columns)
        expected = program.run(t, columns)
        inputs = lowered.inputs(program, t, columns)
        signal = inputs
        for number, (weight, bias) in enumerate(zip(laid.weights, laid.biases, strict=True), start=1):
            signal = weight @ signal + bias
            signal = np.maximum(signal, 0.0) if number < len(laid.weights) else signal
        if np.abs(signal - expected).max() > EXACT * max(float(np.abs(expected).max()), 1e-300):
            raise UnsupportedModelError(f"model {name}: the chain of layers made of it is off by "
                                        f"{np.abs(signal - expected).max():.3g} of {np.abs(expected).max():.3g}, first at "
                                        f"{_first_apart(program, lowered, t, columns, inputs)}; write that part otherwise")


def _first_apart(program: Program, lowered: Lowered, t: float, columns: np.ndarray, inputs: np.ndarray) -> str:
    called: Mapping[str, object] = program.values(t, columns)
    signals = torch.from_numpy(lowered.basis.values(inputs[None])[0])
    for step in program.steps:
        symbol = lowered.values.get(step.name)
        if symbol is not None and isinstance(value := called[step.name], Tensor):
            made = torch.tensordot(signals[: len(symbol.rows)], symbol.rows, dims=1)
            if float((made - value).abs().max()) > EXACT * max(float(value.abs().max()), 1e-300):
                return f"{step.operation}{f' ({step.place})' if step.place else ''}"
    return "its last layer"
