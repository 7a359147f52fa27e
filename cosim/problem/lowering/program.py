"""A program: the tensor operations that a call of the user's module runs, recorded once, and run again without the module.

It is stored as plain data (operations by name, numbers), never as code: a compiled folder can be opened from a stranger.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

# A double has room for what any narrower type can hold: a program is run in it whatever the module's own type is.
DTYPE = torch.float64
TIME, COLUMNS = "%time", "%columns"  # names of the inputs; no recorded value is called so
ALLOWED = frozenset("""
_prelu_kernel _unsafe_view abs adaptive_avg_pool2d _adaptive_avg_pool2d add addmm alias amax amin arange avg_pool1d
avg_pool2d bmm new_empty slice_scatter select_scatter diagonal fill reflection_pad1d
reflection_pad2d replication_pad1d replication_pad2d
baddbmm cat celu clamp clamp_max clamp_min clone constant_pad_nd contiguous convolution copy cos cumsum detach div dot elu
empty empty_like eq erf exp expand flatten full full_like ge gelu gt hardsigmoid hardswish hardtanh index index_select
leaky_relu le lift_fresh lift_fresh_copy linalg_vector_norm linear log log1p log_sigmoid_forward lt masked_fill matmul max
max_pool2d_with_indices maximum mean min minimum mish mm mul mv native_batch_norm native_group_norm native_layer_norm
_native_batch_norm_legit _native_batch_norm_legit_no_training ne neg new_zeros new_ones norm ones ones_like permute pow
prelu reciprocal relu repeat reshape roll rsqrt rsub scalar_tensor select sigmoid sign silu sin slice softplus split
split_with_sizes sqrt squeeze stack sub sum t tan tanh threshold _to_copy transpose tril triu unbind unsqueeze view
_weight_norm_interface where zeros zeros_like flip split_copy unfold im2col pixel_shuffle tile repeat_interleave
movedim swapaxes square true_divide acos acosh asin asinh atan atan2 atanh cosh cumprod erfc exp2 expm1 glu hardshrink log10
log2 _log_softmax logsumexp prod sinc sinh _softmax softshrink std var var_mean logaddexp addcmul addcdiv
""".split())
OF_TIME = frozenset("""
bucketize ceil embedding floor fmod frac gather remainder round searchsorted trunc
""".split())  # jump, or look something up: functions of time may, since they are sampled; functions of the signals may not


@dataclass(frozen=True, kw_only=True)
class Ref:
    """A value that was made before, by its name."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation."""

    name: str  # of its value
    operation: str  # "aten.relu.default", or "getitem" for one of several values
    args: tuple[Any, ...]  # numbers, strings, Refs, and lists of them
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""  # layer and line of the author's file, e.g. "layer 1 (Tanh), net.py, line 12: ..."; "": not known


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """dx/dt as recorded: inputs t (model s) and z, the module's columns; see :func:`record`."""

    steps: tuple[Step, ...]
    constants: Mapping[str, np.ndarray]  # float64, weights and buffers
    shape: tuple[int, ...]  # of z as the module was called with it
    result: str  # name of the value that is returned

    def run(self, t: float, z: np.ndarray) -> np.ndarray:
        """dx/dt (n_states,), model units, at time t and columns z (n,)."""
        return self.values(t, z)[self.result].reshape(-1).numpy()

    @torch.no_grad()
    def values(self, t: float, z: np.ndarray) -> dict[str, Any]:
        """Every value by its name, at one point."""
        values: dict[str, Any] = dict(self.tensors)
        values[TIME] = torch.tensor(t, dtype=DTYPE)
        values[COLUMNS] = torch.as_tensor(np.asarray(z, dtype=float)).reshape(self.shape)
        for step in self.steps:
            values[step.name] = apply(step, lambda ref: values[ref.name])
        return values

    @torch.no_grad()
    def batch(self, times: np.ndarray, z: np.ndarray) -> dict[str, Tensor]:
        """Every value that depends on the inputs at many points, (m, *shape) by its name; of tuples, their parts alone.

        Args:
            times: (m,) model s; z: (m, n) columns.
        """
        kept = [step.name for step in self.steps]

        def at(t: Tensor, z: Tensor) -> dict[str, Tensor]:
            values: dict[str, Any] = {**self.tensors, TIME: t, COLUMNS: z.reshape(self.shape)}
            for step in self.steps:
                values[step.name] = apply(step, lambda ref: values[ref.name])
            return {name: values[name] for name in (TIME, COLUMNS, *kept) if isinstance(values[name], Tensor)}

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an operation without a batched form is run point by point
            return torch.vmap(at)(torch.from_numpy(np.asarray(times, dtype=float)),
                                  torch.from_numpy(np.asarray(z, dtype=float)))

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """The constants as tensors."""
        return {name: torch.from_numpy(array) for name, array in self.constants.items()}

    def to_json(self) -> str:
        """Everything but the constants, as text; :func:`read_program` reads it."""
        return json.dumps({"format": 1, "shape": list(self.shape), "result": self.result, "steps": [
            {"name": step.name, "operation": step.operation, "args": _plain(step.args), "kwargs": _plain(dict(step.kwargs)),
             "place": step.place} for step in self.steps]}, indent=1) + "\n"


def read_program(text: str, constants: Mapping[str, np.ndarray]) -> Program:
    """The program that :meth:`Program.to_json` wrote.

    Raises:
        ValueError, LookupError, TypeError: it is damaged, or names an operation that no program of ours holds.
    """
    fields = json.loads(text)
    steps = tuple(Step(name=step["name"], operation=step["operation"], args=tuple(_back(step["args"])),
                       kwargs=_back(step["kwargs"]), place=step["place"]) for step in fields["steps"])
    for step in steps:
        operation_of(step.operation)
    return Program(steps=steps, constants=dict(constants), shape=tuple(fields["shape"]), result=fields["result"])


def refs_of(step: Step) -> list[str]:
    """Names of the values that a step takes."""
    names: list[str] = []

    def note(ref: Ref) -> Ref:
        names.append(ref.name)
        return ref

    replaced(step.args, note)
    replaced(dict(step.kwargs), note)
    return names


def replaced(value: Any, put: Callable[[Ref], Any]) -> Any:
    """A step's argument with every Ref in it replaced."""
    if isinstance(value, Ref):
        return put(value)
    if isinstance(value, tuple | list):
        return type(value)(replaced(item, put) for item in value)
    if isinstance(value, dict):
        return {key: replaced(item, put) for key, item in value.items()}
    return value


def apply(step: Step, put: Callable[[Ref], Any]) -> Any:
    """A step's value, its Refs replaced; floating-point types become doubles."""
    args, kwargs = replaced(step.args, put), replaced(dict(step.kwargs), put)
    if step.operation == "getitem":
        return args[0][args[1]]
    operation = operation_of(step.operation)
    names = {argument.name for argument in operation._schema.arguments}
    kwargs = {key: value for key, value in kwargs.items() if key in names and key not in ("device", "layout", "pin_memory",
                                                                                         "memory_format")}
    if "dtype" in kwargs and kwargs["dtype"] is not None:
        kind = getattr(torch, kwargs["dtype"].removeprefix("torch."))
        kwargs["dtype"] = DTYPE if kind.is_floating_point else kind
    return operation(*args, **kwargs)


def operation_of(name: str) -> Any:
    """An operation by its name, "aten.relu.default".

    Raises:
        ValueError: it is none that a network is made of.
    """
    if name == "getitem":
        return None
    library, _, rest = name.partition(".")
    base, _, overload = rest.partition(".")
    if library != "aten" or base not in ALLOWED | OF_TIME or not overload.replace("_", "").isalnum():
        raise ValueError(f"operation {name!r} is none that a network is made of")
    return getattr(getattr(torch.ops.aten, base), overload)


def _plain(value: Any) -> Any:
    if isinstance(value, Ref):
        return {"ref": value.name}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {"fields": {key: _plain(item) for key, item in value.items()}}
    return value


def _back(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"ref"}:
        return Ref(name=value["ref"])
    if isinstance(value, dict):
        return {key: _back(item) for key, item in value["fields"].items()}
    if isinstance(value, list):
        return [_back(item) for item in value]
    return value
