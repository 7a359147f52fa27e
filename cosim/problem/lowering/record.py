"""Recording a call: the user's module is called once, and what it does is written down as a program."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx

from cosim.errors import UnsupportedModelError
from cosim.problem.lowering.pads import CircularPads
from cosim.problem.lowering.program import COLUMNS, DTYPE, TIME, Program, Ref, Step, refs_of
from cosim.problem.lowering.where import layer_of, layers_named, user_line

MOST_TRIED = 16  # numbers at which a module that cannot be called with its columns is called


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
                                            "cannot be followed; make a new tensor instead, e.g. with torch.cat, or "
                                            "write a layer that does so, such as GRUCell, by its equations")
            steps.append(Step(name=node.name, operation=operation, args=tuple(_refs(node.args, names)),
                              kwargs=_refs(dict(node.kwargs), names), place=_place(node)))
    if result not in moving:
        raise UnsupportedModelError(f"model {name} gives a constant; its derivatives must depend on its inputs, and numpy "
                                    "and detach() hide that they do")
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
