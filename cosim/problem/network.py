"""A derivative network as the compiler sees it: affine layers, each with or without ReLU, and what feeds the first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from circuits.board import nets
from cosim.errors import UnsupportedModelError
from cosim.problem.as_called import AsCalled, read_call
from cosim.problem.chain import plain_chain, unwrapped
from cosim.problem.fitted import Fitted
from cosim.problem.lowering.calling import check_model
from cosim.problem.lowering.layers import Laid


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

    def before_relu(self, x: np.ndarray) -> np.ndarray:
        """W x + b on (..., in), giving (..., out)."""
        return x @ self.weight.T + (0.0 if self.bias is None else self.bias)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Evaluate on (..., in), giving (..., out)."""
        z = self.before_relu(x)
        return np.maximum(z, 0.0) if self.relu else z


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """d x/dt = f(columns), f a chain of affine layers; see :func:`read_network`."""

    layers: tuple[Affine, ...]
    columns: tuple[str, ...]  # what each input of the first layer is: u0, u1, ... external inputs, x0, x1, ... states
    module: nn.Sequential  # the same chain in torch; a copy, weights as they were when it was read
    as_called: AsCalled | None = None  # the author's own computation, where that is no plain chain
    fitted: Fitted | None = None  # how far the chain is from the author's computation; None: it computes the same

    def __post_init__(self) -> None:
        check_columns(self.columns)
        if self.layers[0].n_inputs != len(self.columns):
            raise UnsupportedModelError(f"model takes {self.layers[0].n_inputs} inputs, but there are {len(self.columns)} "
                                        f"columns ({', '.join(self.columns)}); it needs one input per external input and state")
        if self.layers[-1].n_outputs != self.n_states:
            raise UnsupportedModelError(f"model gives {self.layers[-1].n_outputs} derivatives for {self.n_states} states; it "
                                        "needs one per state")

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Affine]:
        return iter(self.layers)

    @property
    def n_external(self) -> int:
        return len(self.columns) - self.n_states

    @property
    def n_states(self) -> int:
        return len(nets.state_places(self.columns))

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs, then the outputs of every layer."""
        return (self.layers[0].n_inputs, *(layer.n_outputs for layer in self.layers))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of shapes, biases, activations and float64 weights; the identity of a network in a manifest."""
        digest = hashlib.sha256()
        for layer in self.layers:
            digest.update(f"{layer.weight.shape} {layer.bias is not None} {layer.relu};".encode())
            digest.update(np.ascontiguousarray(layer.weight, dtype="<f8").tobytes())
            if layer.bias is not None:
                digest.update(np.ascontiguousarray(layer.bias, dtype="<f8").tobytes())
        return digest.hexdigest()

    @property
    def chain(self) -> Network:
        """The chain alone, as the board computes it, without the author's own computation."""
        return replace(self, as_called=None, fitted=None)

    @property
    def identity(self) -> str:
        """Hash of everything that a solution depends on: the chain, and the author's own computation."""
        return self.hash if self.as_called is None else f"{self.hash} {self.as_called.hash}"

    def slope(self, t: float, inputs: np.ndarray, states: np.ndarray) -> np.ndarray:
        """dx/dt (n_states,) as the author's module gives it, at one point.

        Args:
            t: model s; inputs: (n_external,), of which the module takes its own and makes the others of time itself;
            states: (n_states,); model units.
        """
        if self.as_called is None:
            return self.derivative(inputs[None], states[None])[0]
        own = len(self.as_called.columns)
        return self.as_called.derivative(t, self.first(inputs[None], states[None])[0, :own])

    def own_slope(self, t: float, columns: np.ndarray) -> np.ndarray:
        """The same of the numbers that the author's module takes, (n,), in its own order."""
        if self.as_called is not None:
            return self.as_called.derivative(t, columns)
        signal = columns
        for layer in self.layers:
            signal = layer(signal)
        return signal

    def first(self, inputs: np.ndarray, states: np.ndarray) -> np.ndarray:
        """What the first layer takes, (m, columns), of external inputs (m, n_external) and states (m, n_states)."""
        return np.take(np.concatenate([inputs, states], axis=1), nets.column_places(self.columns, self.n_external), axis=1)

    def signals(self, inputs: np.ndarray, states: np.ndarray) -> list[np.ndarray]:
        """Output of every layer, (m, n_outputs) each; the last is the derivative. Arguments as for :meth:`first`."""
        outputs, signal = [], self.first(inputs, states)
        for layer in self.layers:
            signal = layer(signal)
            outputs.append(signal)
        return outputs

    def pre_activations(self, inputs: np.ndarray, states: np.ndarray) -> list[np.ndarray]:
        """W x + b of every layer, before its ReLU; shapes and arguments as for :meth:`signals`."""
        feeding = [self.first(inputs, states), *self.signals(inputs, states)[:-1]]
        return [layer.before_relu(signal) for layer, signal in zip(self.layers, feeding, strict=True)]

    def derivative(self, inputs: np.ndarray, states: np.ndarray) -> np.ndarray:
        """d x/dt (m, n_states), model units per model second; arguments as for :meth:`first`."""
        return self.signals(inputs, states)[-1]


def check_columns(columns: tuple[str, ...]) -> None:
    """Refuse columns that do not name every external input and state once.

    Raises:
        UnsupportedModelError: says which were expected.
    """
    signals = [nets.parse_column(column) for column in columns]
    if None in signals:
        raise UnsupportedModelError(f"column {columns[signals.index(None)]!r}: a column is u0, u1, ... for an external input "
                                    "or x0, x1, ... for a state")
    wanted = nets.standard_columns(sum(signal.kind == "external" for signal in signals),
                                   sum(signal.kind == "state" for signal in signals))
    if set(columns) != set(wanted) or len(set(columns)) != len(columns):
        raise UnsupportedModelError(f"columns {columns} do not name every external input and state once; expected "
                                    f"{sorted(wanted)}")


def read_network(model: Callable[..., Tensor], columns: tuple[str, ...] | None = None) -> Network:
    """The network that a call of the model computes, weights as float64.

    A chain of Linear and ReLU is taken as it stands. Anything else is called once, recorded, and lowered exactly to such a
    chain; see :mod:`cosim.problem.as_called`.

    Args:
        columns: what each input of the model is, in order: ``u0``, ``u1``, ... external inputs, ``x0``, ``x1``, ... states;
            every one exactly once. None: as many states as the model gives derivatives, after the external inputs.
    Returns:
        The network; its columns have further external inputs at their end where the model makes signals of time itself.
    Raises:
        UnsupportedModelError: something that the board has no circuit for, sizes that do not chain or do not fit the columns,
            or a weight that is not finite; names the layer and says what is supported.
    """
    model = unwrapped(model)
    check_model(model)
    if (chain := plain_chain(model)) is not None:
        layers = chain_layers(chain)
        if columns is None:
            n_states = layers[-1].n_outputs
            columns = nets.standard_columns(max(layers[0].n_inputs - n_states, 0), n_states)
        return Network(layers=layers, columns=tuple(columns), module=deepcopy(chain).cpu().double())
    if columns is None:
        raise UnsupportedModelError(f"model {type(model).__name__} is no chain of Linear and ReLU; say what its inputs are: "
                                    "columns=(\"u0\", \"x0\"), for example")
    columns = tuple(columns)
    signals = [nets.parse_column(column) for column in columns]
    n_external = sum(signal is not None and signal.kind == "external" for signal in signals)
    as_called, laid = read_call(model, columns, len(columns) - n_external)
    return network_of(as_called, laid, n_external)


def network_of(as_called: AsCalled, laid: Laid, n_external: int, fitted: Fitted | None = None) -> Network:
    """A network of a recorded call and the chain that computes it, or approximates it where it was fitted.

    Args:
        n_external: external inputs that the module takes.
    Raises:
        UnsupportedModelError: a weight is not finite.
    """
    layers = tuple(Affine(weight=weight, bias=bias if bias.any() else None, relu=number < len(laid.weights))
                   for number, (weight, bias) in enumerate(zip(laid.weights, laid.biases, strict=True), start=1))
    check_finite(layers)
    further = tuple(nets.external_column(n_external + k) for k in range(len(as_called.time_inputs)))
    return Network(layers=layers, columns=(*as_called.columns, *further), module=_chain(layers), as_called=as_called,
                   fitted=fitted)


def chain_layers(chain: nn.Sequential) -> tuple[Affine, ...]:
    """Affine layers of a Sequential of Linear and ReLU.

    Raises:
        UnsupportedModelError: another layer, a misplaced ReLU, sizes that do not chain, or a weight that is not finite.
    """
    layers: list[Affine] = []
    for position, module in enumerate(chain):
        if isinstance(module, nn.Linear):
            layers.append(_affine(module, position))
        elif not layers or layers[-1].relu:
            raise UnsupportedModelError(f"layer {position} is a ReLU that does not follow a Linear")
        else:
            layers[-1] = Affine(weight=layers[-1].weight, bias=layers[-1].bias, relu=True)
    for number, (before, after) in enumerate(pairwise(layers), start=1):
        if before.n_outputs != after.n_inputs:
            raise UnsupportedModelError(
                f"Linear {number} takes {after.n_inputs} inputs but Linear {number - 1} gives {before.n_outputs}, counted from "
                "0; make them equal"
            )
    return tuple(layers)


def check_finite(layers: tuple[Affine, ...]) -> None:
    """Refuse weights that are not finite.

    Raises:
        UnsupportedModelError: names the layer.
    """
    for number, layer in enumerate(layers):
        if not np.isfinite(layer.weight).all() or (layer.bias is not None and not np.isfinite(layer.bias).all()):
            raise UnsupportedModelError(f"layer {number} of the lowered network has weights that are not finite: train again, "
                                        "or repair what they come from")


def _chain(layers: tuple[Affine, ...]) -> nn.Sequential:
    """The layers as a torch chain, in double."""
    modules: list[nn.Module] = []
    for layer in layers:
        linear = nn.utils.skip_init(nn.Linear, layer.n_inputs, layer.n_outputs, bias=layer.bias is not None,
                                    dtype=torch.float64)  # random weights would move the user's own random state
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(layer.weight))
            if layer.bias is not None:
                linear.bias.copy_(torch.from_numpy(layer.bias))
        modules += [linear, nn.ReLU()] if layer.relu else [linear]
    return nn.Sequential(*modules)


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
