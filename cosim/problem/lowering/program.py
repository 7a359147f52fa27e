"""A program: the tensor operations that a call of the user's module runs, recorded once, and run again without the module.

It is stored as plain data (operations by name, numbers), never as code: a compiled folder can be opened from a stranger.
"""

from __future__ import annotations

import inspect
import json
import re
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx

from cosim.errors import UnsupportedModelError
from cosim.problem.lowering.pads import CircularPads
from cosim.problem.lowering.where import layer_of, layers_named, user_line

# A double has room for what any narrower type can hold: a program is run in it whatever the module's own type is.
DTYPE = torch.float64
MOST_TRIED = 16  # numbers at which a module that cannot be called with its columns is called
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


def record(module: Callable[..., Tensor], n_columns: int, n_states: int | None = None) -> Program:
    """Call a module once and write down what it does.

    Args:
        module: ``forward(z)`` or ``forward(t, z)``, z the columns, with or without a batch dimension; or a plain function.
        n_columns: numbers that z holds.
        n_states: numbers that must come back; None: any.
    Raises:
        UnsupportedModelError: it cannot be called so, its steps depend on the numbers, or it does not give derivatives.
    """
    name, timed = type(module).__name__, takes_time(module)
    failures = []
    for shape, dtype in product(((1, n_columns), (n_columns,)), _dtypes_of(module)):
        z, t = torch.linspace(0.1, 0.9, n_columns).reshape(shape).to(dtype), torch.tensor(0.3, dtype=dtype)

        def call(t: Tensor, z: Tensor) -> Tensor:
            with CircularPads():
                return module(t, z) if timed else module(z)

        try:
            with torch.no_grad(), layers_named(module):
                plain = call(t, z)
                graph = make_fx(functionalize(call), record_stack_traces=True)(t, z)
        except Exception as error:  # noqa: BLE001 - whatever a user's forward raises; told below
            failures.append((shape, error))
            continue
        if not isinstance(plain, Tensor) or (n_states is not None and plain.numel() != n_states):
            gives = f"a tensor of shape {tuple(plain.shape)}" if isinstance(plain, Tensor) else f"a {type(plain).__name__}"
            raise UnsupportedModelError(f"model {name}: called with z of shape {shape} it gives {gives}; it must give one "
                                        f"tensor with a derivative for each of the {n_states} states")
        return _program(graph, (t, z), name)
    raise UnsupportedModelError(_cannot_call(module, timed, failures, n_columns)) from failures[0][1]


def takes_time(module: Callable[..., Tensor]) -> bool:
    """Whether it is called as forward(t, z), by the number of its arguments that have no default.

    Raises:
        UnsupportedModelError: it takes more than two.
    """
    forward = module.forward if isinstance(module, nn.Module) else module
    try:
        parameters = inspect.signature(forward).parameters.values()
    except (TypeError, ValueError):
        return False
    wanted = [p.name for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(wanted) > 2:
        raise UnsupportedModelError(f"model {type(module).__name__}: its forward takes {', '.join(wanted)}; a derivative "
                                    "network is forward(z) or forward(t, z), z one tensor with the inputs and states in the "
                                    "order of the columns: concatenate them")
    return len(wanted) == 2


def _cannot_call(module: Any, timed: bool, failures: Sequence[tuple[tuple[int, ...], Exception]], n_columns: int) -> str:
    name, (shape, error) = type(module).__name__, failures[0]
    frames = traceback.extract_tb(error.__traceback__)
    line = user_line([(frame.filename, frame.lineno, frame.line or "") for frame in frames])
    text = str(error).splitlines()[0] if str(error) else ""
    if "trying to get value out of a tracing tensor" in text or "data-dependent" in text:
        return (f"model {name}: what its forward does depends on the numbers{f' ({line})' if line else ''}; a board has no "
                "branches: use torch.relu, torch.where-free arithmetic or torch.maximum instead of if")
    return (f"model {name} cannot be called as forward({'t, ' if timed else ''}z) with z of shape {shape}"
            f"{f' ({line})' if line else ''}: {type(error).__name__}: {text}; {_way_to_call(module, timed, n_columns)}")


@torch.no_grad()
def _way_to_call(module: Any, timed: bool, n_columns: int) -> str:
    """How it can be called, tried; what to change for that."""
    for numbers, kind in product(range(1, max(MOST_TRIED, 2 * n_columns)), _dtypes_of(module)):
        for shape in ((1, numbers), (numbers,)):
            try:
                value = module(torch.tensor(0.3, dtype=kind), torch.zeros(shape, dtype=kind)) if timed else module(
                    torch.zeros(shape, dtype=kind))
            except Exception:  # noqa: BLE001, S112 - it cannot be called so; the next may do
                continue
            if isinstance(value, Tensor) and numbers != n_columns:
                return (f"called with {numbers} number{'s' if numbers > 1 else ''} it gives {value.numel()}, but there are "
                        f"{n_columns} columns: name as many as it takes, and leave out what it makes of time itself")
    return ("its forward must take one tensor with as many numbers as there are columns; where it wants another shape, such as "
            "an image, wrap it in a module whose forward reshapes z, calls it, and flattens what it gives")


def _dtypes_of(module: Any) -> list[torch.dtype]:
    """Of a module's own numbers; what may be tried where it shows none, as a function does."""
    tensors = [*module.parameters(), *module.buffers()] if isinstance(module, nn.Module) else []
    if any(tensor.is_complex() for tensor in tensors):
        raise UnsupportedModelError(f"model {type(module).__name__} has complex weights; a voltage is real: use two real "
                                    "states")
    kinds = [tensor.dtype for tensor in tensors if tensor.is_floating_point()]
    return kinds[:1] or [DTYPE, torch.float32]


def _program(graph: torch.fx.GraphModule, inputs: tuple[Tensor, Tensor], name: str) -> Program:
    """What depends on the inputs as steps; everything else, such as normalised weights, as the numbers that it gave."""
    interpreter = torch.fx.Interpreter(graph, garbage_collect_values=False)
    interpreter.run(*inputs)
    names: dict[torch.fx.Node, str] = {}
    steps: list[Step] = []
    placeholders = iter((TIME, COLUMNS))
    moving: set[torch.fx.Node] = set()
    result: Any = None
    for node in graph.graph.nodes:
        names[node] = next(placeholders) if node.op == "placeholder" else node.name
        if node.op == "call_function" and torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
            raise UnsupportedModelError(f"model {name}: {node.target}{_in_brackets(node)} is random; call model.eval() first")
        if node.op == "placeholder":
            moving.add(node)
        elif node.op == "output":
            result = node.args[0][0] if isinstance(node.args[0], tuple | list) else node.args[0]
        elif moving & set(node.all_input_nodes):
            moving.add(node)
            operation = "getitem" if node.target.__name__ == "getitem" else str(node.target)
            if operation != "getitem" and node.target._schema.is_mutable:
                raise UnsupportedModelError(f"model {name}: {operation}{_in_brackets(node)} writes into a tensor in a way that "
                                            "cannot be followed; make a new tensor instead, e.g. with torch.cat")
            steps.append(Step(name=node.name, operation=operation, args=tuple(_refs(node.args, names)),
                              kwargs=_refs(dict(node.kwargs), names), place=_place(node)))
    if result not in moving:
        raise UnsupportedModelError(f"model {name} gives a constant; its derivatives must depend on its inputs")
    live = _live(steps, names[result])
    taken = {ref for step in live for ref in refs_of(step)}
    constants = {names[node]: _number(interpreter.env[node]) for node in graph.graph.nodes
                 if node not in moving and node.op != "output" and names[node] in taken}
    return Program(steps=tuple(live), constants=constants, shape=tuple(inputs[1].shape), result=names[result])


def _place(node: torch.fx.Node) -> str:
    return ", ".join(filter(None, [layer_of(node), user_line(_frames(node))]))


def _in_brackets(node: torch.fx.Node) -> str:
    place = _place(node)
    return f" ({place})" if place else ""


def _number(tensor: Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu()
    return (tensor.to(DTYPE) if tensor.is_floating_point() else tensor).numpy()


def _frames(node: torch.fx.Node) -> list[tuple[str, int, str]]:
    """(file, line, text) of the calls that made a node, outermost first."""
    text = node.meta.get("stack_trace") or ""
    return [(file, int(number), line) for file, number, line in re.findall(r'File "(.*)", line (\d+), in \S+\n\s*(.*)', text)]


def _live(steps: Sequence[Step], result: str) -> list[Step]:
    """Steps that the result depends on."""
    wanted, kept = {result}, []
    for step in reversed(steps):
        if step.name in wanted:
            kept.append(step)
            wanted |= set(refs_of(step))
    return kept[::-1]


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


def _refs(value: Any, names: Mapping[torch.fx.Node, str]) -> Any:
    if isinstance(value, torch.fx.Node):
        return Ref(name=names[value])
    if isinstance(value, tuple | list):
        return [_refs(item, names) for item in value]
    if isinstance(value, dict):
        return {key: _refs(item, names) for key, item in value.items()}
    if isinstance(value, torch.dtype):
        return str(value)
    if isinstance(value, torch.device | torch.layout | torch.memory_format):
        return None
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
    if library != "aten" or base not in ALLOWED or not overload.replace("_", "").isalnum():
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
