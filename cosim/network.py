"""A torch model as the compiler sees it: a list of affine layers, each with or without ReLU."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from torch import nn

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


def read_network(model: nn.Module) -> tuple[Affine, ...]:
    """Affine layers of a ``torch.nn.Sequential`` of Linear and ReLU, weights as float64.

    Raises:
        UnsupportedModelError: another container or layer, a misplaced ReLU, sizes that do not chain, or a weight that
            is not finite; names the layer and says what is supported.
    """
    if not isinstance(model, nn.Sequential):
        raise UnsupportedModelError(
            f"model is a {type(model).__name__}; the compiler takes a torch.nn.Sequential of Linear and ReLU"
        )
    layers: list[Affine] = []
    for position, module in enumerate(model):
        if type(module) is nn.Linear:
            layers.append(_affine(module, position))
        elif type(module) is nn.ReLU:
            if not layers or layers[-1].relu:
                raise UnsupportedModelError(f"layer {position} is a ReLU that does not follow a Linear; remove it")
            layers[-1] = Affine(weight=layers[-1].weight, bias=layers[-1].bias, relu=True)
        else:
            raise UnsupportedModelError(
                f"layer {position} is a {type(module).__name__}; the board has circuits for Linear and ReLU only"
            )
    if not layers:
        raise UnsupportedModelError("model has no Linear layer, so there is nothing to compile")
    for number, (before, after) in enumerate(pairwise(layers), start=1):
        if before.n_outputs != after.n_inputs:
            raise UnsupportedModelError(
                f"Linear {number} takes {after.n_inputs} inputs but Linear {number - 1} gives {before.n_outputs}"
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
                "weights must be finite, train again or repair the checkpoint"
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
