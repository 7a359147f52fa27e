"""How a user's model is called, and what to say of one that cannot be called so."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cosim.errors import UnsupportedModelError
from cosim.problem.lowering.program import DTYPE
from cosim.problem.lowering.where import user_line

MOST_TRIED = 16  # numbers at which a module that cannot be called with its columns is called
TIME_NAME = re.compile(r"_*(t|tt|ts|tau|[Tt]ime[a-z_]*)?[0-9_]*")  # of an argument; "_" says that it is not used
NO_NETWORKS = (  # what is given instead of a network, and what to give
    (Mapping, "holds weights alone: make the module and hand it these with load_state_dict()"),
    ((str, Path), "is the name of a file: make the module and load its weights"),
    (type, "is a class: give a module made of it, e.g. model=Net()"),
)
FAILURES = (  # a part of what torch says, and what is said of it
    ("trying to get value out of a tracing tensor|data-dependent|unallocated storage",
     "what it does depends on the numbers: if, assert, float() and numpy make a branch or a number, which a board does not "
     "follow: write it with torch operations, torch.sin(t) for math.sin(float(t)), torch.relu or torch.clamp for if"),
    ("functorch transform|does not require grad", "it takes a gradient when it is called: take it with torch.func.grad "
                                                  "instead, e.g. torch.func.grad(lambda x: self.energy(x).sum())(z)"),
    ("PackedParams|quantized", "its weights are quantised: give the module that it was before"),
    ("numpy.ndarray", "it gives a numpy array: compute with torch, and return a tensor"),
    (r"exported_program\.module", "give what its module() returns"),
)


def check_model(model: Any) -> None:
    """Refuse what is no network, or has no numbers.

    Raises:
        UnsupportedModelError: says what it is, and what to give.
    """
    kind = (model if isinstance(model, type) else type(model)).__name__
    for types, says in NO_NETWORKS:
        if isinstance(model, types):
            raise UnsupportedModelError(f"model: {kind} {says}")
    if not callable(model):
        raise UnsupportedModelError(f"model: {kind} is no network: give a torch module, or a function of tensors")
    if isinstance(model, nn.Module):
        for name, tensor in (*model.named_parameters(), *model.named_buffers()):
            if tensor.is_meta:
                raise UnsupportedModelError(f"model {kind}: {name} lies on the meta device, which holds no numbers; call "
                                            "model.to_empty(device=\"cpu\"), then load_state_dict()")


def takes_time(module: Callable[..., Tensor]) -> bool:
    """Whether it is called as forward(t, z): it has two arguments without a default, and the first is named as a time.

    Raises:
        UnsupportedModelError: it takes more than two, or the first of two is not named so, as in scipy's forward(y, t). By
            position alone y would be taken as time, and where both can be broadcast nothing would fail.
    """
    wanted = [p.name for p in _arguments(module) if p.default is p.empty and p.kind is not p.KEYWORD_ONLY]
    if len(wanted) < 2:
        return False
    name = type(module).__name__
    if len(wanted) > 2:
        raise UnsupportedModelError(f"model {name}: its forward takes {', '.join(wanted)}; a derivative network is forward(z) "
                                    "or forward(t, z), z one tensor with the inputs and states in the order of the columns: "
                                    "concatenate them")
    first, second = wanted
    if not TIME_NAME.fullmatch(first):
        mend = (f"give model=lambda t, {first}: model({first}, t)" if TIME_NAME.fullmatch(second) else
                f"if {first} is the time, name it t; if {first} and {second} are states and inputs, concatenate them in one z")
        raise UnsupportedModelError(f"model {name}: its forward takes ({first}, {second}); two arguments are forward(t, z), "
                                    f"the time first: {mend}")
    return True


def _arguments(module: Callable[..., Tensor]) -> list[inspect.Parameter]:
    """That it can be given; none where Python does not know them."""
    try:
        parameters = inspect.signature(module.forward if isinstance(module, nn.Module) else module).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def check_default_time(module: Callable[..., Tensor], derivatives: Tensor, z: Tensor) -> None:
    """Refuse a forward(z, t=0.0) that depends on t, which would stand still.

    Args:
        derivatives: what forward(z) gives.
    Raises:
        UnsupportedModelError: says how to take time.
    """
    for argument in _arguments(module)[1:]:
        if not TIME_NAME.fullmatch(argument.name):
            continue
        try:
            with torch.no_grad():
                later = module(z, **{argument.name: torch.tensor(0.7, dtype=z.dtype)})
        except Exception:  # noqa: BLE001, S112 - it takes no number there, so it is no time
            continue
        if not (isinstance(later, Tensor) and torch.equal(later, derivatives)):
            raise UnsupportedModelError(f"model {type(module).__name__}: its derivatives depend on {argument.name}, which has "
                                        "a default and would stand still: give model=lambda t, z: model(z, "
                                        f"{argument.name}=t), or write forward(t, z)")


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """A module in eval, each part as it was afterwards."""
    modes = [(part, part.training) for part in module.modules()]
    try:
        module.eval()
        yield
    finally:
        for part, training in modes:
            part.training = training


def cannot_call(module: Any, timed: bool, failures: Sequence[tuple[tuple[int, ...], Exception]], n_columns: int) -> str:
    """What is said of a module that raises errors when it is called with z of a shape, or recorded."""
    name = type(module).__name__
    for _, error in failures:
        for needle, says in FAILURES:
            if re.search(needle, _first_line(error)):
                return f"model {name}{_place(error)}: {says}"
    shape, error = failures[0]
    return (f"model {name} cannot be called as forward({'t, ' if timed else ''}z) with z of shape {shape}{_place(error)}: "
            f"{type(error).__name__}: {_first_line(error)}; {_way_to_call(module, timed, n_columns)}")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    line = user_line([(frame.filename, frame.lineno, frame.line or "") for frame in frames])
    return f" ({line})" if line else ""


@torch.no_grad()
def _way_to_call(module: Any, timed: bool, n_columns: int) -> str:
    """How it can be called, tried; what to change for that."""
    for numbers, kind in product(range(1, max(MOST_TRIED, 2 * n_columns)), dtypes_of(module)):
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


def dtypes_of(module: Any) -> list[torch.dtype]:
    """Of a module's own numbers; what may be tried where it shows none, as a function does."""
    tensors = [*module.parameters(), *module.buffers()] if isinstance(module, nn.Module) else []
    if any(tensor.is_complex() for tensor in tensors):
        raise UnsupportedModelError(f"model {type(module).__name__} has complex weights; a voltage is real: use two real "
                                    "states")
    kinds = [tensor.dtype for tensor in tensors if tensor.is_floating_point()]
    return kinds[:1] or [DTYPE, torch.float32]
