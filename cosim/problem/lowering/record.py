"""Recording a call: the user's module is called once, and what it does is written down as a program."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch._decomp import get_decompositions
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx

from cosim.errors import UnsupportedModelError
from cosim.problem.lowering.calling import cannot_call, check_default_time, dtypes_of, evaluating, takes_time
from cosim.problem.lowering.pads import CircularPads
from cosim.problem.lowering.program import COLUMNS, DTYPE, TIME, Program, Ref, Step, refs_of
from cosim.problem.lowering.where import layer_of, layers_named, user_line


def _trilinear(*args: Any) -> Tensor:
    """What nn.Bilinear calls, as products: three tensors, the dimensions that each gets, and those that are summed over."""
    factors = [reduce(Tensor.unsqueeze, sorted(dims), tensor) for tensor, dims in zip(args[:3], args[3:6], strict=True)]
    return (factors[0] * factors[1] * factors[2]).sum(args[6])


def _rrelu(x: Tensor, _: Tensor, low: float = 1 / 8, high: float = 1 / 3, training: bool = False, *_more: Any) -> Tensor:
    """RReLU: with the mean of its slopes, in training with random ones, which are refused."""
    return x * torch.rand_like(x) if training else nn.functional.leaky_relu(x, (low + high) / 2)


ATEN = torch.ops.aten
MADE_OF = get_decompositions([ATEN.tanh_backward, ATEN.sigmoid_backward, ATEN.softplus_backward, ATEN.silu_backward,
                              ATEN.gelu_backward, ATEN.elu_backward, ATEN.mish_backward, ATEN.threshold_backward]) | {
    ATEN._trilinear.default: _trilinear, ATEN.rrelu_with_noise.default: _rrelu}


def record(module: Callable[..., Tensor], n_columns: int, n_states: int | None = None) -> Program:
    """Call a module once and write down what it does.

    Args:
        module: ``forward(z)`` or ``forward(t, z)``, z the columns, with or without a batch dimension; or a plain function.
        n_columns: numbers that z holds.
        n_states: numbers that must come back; None: any.
    Raises:
        UnsupportedModelError: it cannot be called so, its steps depend on the numbers, or it does not give derivatives; where
            that is so in training alone, model.eval() is named.
    """
    try:
        return _recorded(module, n_columns, n_states)
    except UnsupportedModelError as refusal:
        if not isinstance(module, nn.Module) or not any(part.training for part in module.modules()):
            raise
        try:
            with evaluating(module):
                _recorded(module, n_columns, n_states)
        except UnsupportedModelError:
            raise refusal from refusal.__cause__
        raise UnsupportedModelError(f"model {type(module).__name__} is in training, where a call does something that no board "
                                    "does, such as batch statistics, random numbers or new weights; call model.eval() first"
                                    ) from refusal


def _recorded(module: Callable[..., Tensor], n_columns: int, n_states: int | None) -> Program:
    name, timed = type(module).__name__, takes_time(module)
    failures = []
    for shape, dtype in product(((1, n_columns), (n_columns,)), dtypes_of(module)):
        z, t = torch.linspace(0.1, 0.9, n_columns).reshape(shape).to(dtype), torch.tensor(0.3, dtype=dtype)

        def call(t: Tensor, z: Tensor) -> Tensor:
            with CircularPads():
                return module(t, z) if timed else module(z)

        try:
            with torch.no_grad(), layers_named(module):
                plain = call(t, z)
                graph = make_fx(functionalize(call), MADE_OF, record_stack_traces=True)(t, z)
            program = _program(graph, (t, z), name)
        except UnsupportedModelError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a user's forward raises; told below
            failures.append((shape, error))
            continue
        if not isinstance(plain, Tensor) or (n_states is not None and plain.numel() != n_states):
            gives = f"a tensor of shape {tuple(plain.shape)}" if isinstance(plain, Tensor) else f"a {type(plain).__name__}"
            raise UnsupportedModelError(f"model {name}: called with z of shape {shape} it gives {gives}; it must give one "
                                        f"tensor with a derivative for each of the {n_states} states")
        if not timed:
            check_default_time(module, plain, z)
        return program
    raise UnsupportedModelError(cannot_call(module, timed, failures, n_columns)) from failures[0][1]


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
            raise UnsupportedModelError(f"model {name}: {node.target}{_in_brackets(node)} is random, in model.eval() too; draw "
                                        "the number once, before the call, and give F.dropout training=self.training")
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
