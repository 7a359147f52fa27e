"""A torch model as a chain of layers, one after the other."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import fx, nn

from cosim.errors import UnsupportedModelError

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
