"""A torch model as the compiler sees it: a list of affine layers, each with or without ReLU."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import fx, nn

from cosim.errors import UnsupportedModelError


@dataclass(frozen=True, kw_only=True)
class Affine:
    """One layer, h = relu(W x + b) or W x + b."""

    weight: np.ndarray  # (out, in)
    bias: np.ndarray | None  # (out,)
    relu: bool

    @property
    def n_inputs(self) -> int:
        return self.weight.shape[1]

    @property
    def n_outputs(self) -> int:
        return self.weight.shape[0]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Evaluate on (..., in), giving (..., out)."""
        z = x @ self.weight.T + (0.0 if self.bias is None else self.bias)
        return np.maximum(z, 0.0) if self.relu else z


RELU = (torch.relu, nn.functional.relu, torch.relu_)


def sequential_of(model: nn.Module) -> nn.Sequential:
    """The same network as a plain ``torch.nn.Sequential``; its weights are shared.

    A Sequential is taken as it is. Any other module is traced (``torch.fx``): its forward must pass one tensor through
    layers one after the other, ``torch.relu`` in any spelling counting as a ReLU.

    Raises:
        UnsupportedModelError: forward branches, or does something else than call layers; names it and its line.
    """
    if isinstance(model, nn.Sequential):
        return model
    name = type(model).__name__
    if isinstance(model, nn.Linear):
        return nn.Sequential(model)
    tracer = fx.Tracer()
    tracer.record_stack_traces = True
    try:
        graph = tracer.trace(model)
    except Exception as error:  # whatever a user's forward raises under tracing
        raise UnsupportedModelError(
            f"model {name} cannot be traced ({type(error).__name__}: {error}); its forward must pass one tensor through Linear "
            "and ReLU layers, without branches"
        ) from error
    layers: list[nn.Module] = []
    before: fx.Node | None = None
    for node in graph.nodes:
        if before is None and node.op == "placeholder":
            before = node
            continue
        if node.op == "output" and node.args == (before,):
            return nn.Sequential(*layers)
        if before is None or node.all_input_nodes != [before]:
            raise UnsupportedModelError(
                f"model {name}: step {node.name!r} of its forward{_line(node)} is not fed by the step before it alone; the "
                "board has one chain of layers: pass one tensor from layer to layer"
            )
        if node.op == "call_module":
            layers.append(model.get_submodule(node.target))
        elif (node.op == "call_function" and node.target in RELU) or (node.op == "call_method" and node.target == "relu"):
            layers.append(nn.ReLU())
        else:
            raise UnsupportedModelError(
                f"model {name}: step {node.name!r} of its forward{_line(node)} is no layer; the board has circuits for Linear "
                "and ReLU only: put a factor or an offset into the weights and biases of a Linear, and train with ReLU instead "
                "of any other function"
            )
        before = node
    raise UnsupportedModelError(f"model {name}: its forward gives nothing back that a layer made")


def _line(node: fx.Node) -> str:
    """Where the user's file has a step; "" where torch does not tell."""
    found = re.search(r'File "(.*)", line (\d+)', node.stack_trace or "")
    return f" ({Path(found[1]).name}, line {found[2]})" if found else ""


def read_network(model: nn.Module) -> tuple[Affine, ...]:
    """Affine layers of a chain of Linear and ReLU, weights as float64; see :func:`sequential_of`.

    Raises:
        UnsupportedModelError: another layer, a misplaced ReLU, sizes that do not chain, or a weight that is not finite;
            names the layer and says what is supported.
    """
    layers: list[Affine] = []
    for position, module in enumerate(sequential_of(model)):
        if type(module) is nn.Linear:
            layers.append(_affine(module, position))
        elif type(module) is nn.ReLU:
            if not layers or layers[-1].relu:
                raise UnsupportedModelError(f"layer {position} is a ReLU that does not follow a Linear; remove it")
            layers[-1] = Affine(weight=layers[-1].weight, bias=layers[-1].bias, relu=True)
        else:
            raise UnsupportedModelError(
                f"layer {position} is a {type(module).__name__}; the board has circuits for Linear and ReLU only: train with "
                "those"
            )
    if not layers:
        raise UnsupportedModelError("model has no Linear layer, so there is nothing to compile")
    for number, (before, after) in enumerate(pairwise(layers), start=1):
        if before.n_outputs != after.n_inputs:
            raise UnsupportedModelError(
                f"Linear {number} takes {after.n_inputs} inputs but Linear {number - 1} gives {before.n_outputs}, counted from "
                "0; make them equal"
            )
    return tuple(layers)


def _affine(module: nn.Linear, position: int) -> Affine:
    weight = module.weight.detach().double().cpu().numpy()
    bias = None if module.bias is None else module.bias.detach().double().cpu().numpy()
    for name, array in (("weight", weight), ("bias", bias)):
        if array is not None and not np.isfinite(array).all():
            index = ",".join(str(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise UnsupportedModelError(
                f"layer {position}: {name}[{index}] = {array[~np.isfinite(array)][0]}; "
                "weights must be finite: train again, or repair what they come from"
            )
    return Affine(weight=weight, bias=bias, relu=False)


def network_hash(layers: tuple[Affine, ...]) -> str:
    """SHA-256 of shapes, biases, activations and float64 weights; the identity of a network in a manifest."""
    digest = hashlib.sha256()
    for one in layers:
        digest.update(f"{one.weight.shape} {one.bias is not None} {one.relu};".encode())
        digest.update(np.ascontiguousarray(one.weight, dtype="<f8").tobytes())
        if one.bias is not None:
            digest.update(np.ascontiguousarray(one.bias, dtype="<f8").tobytes())
    return digest.hexdigest()
