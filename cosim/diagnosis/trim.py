"""The trim: what a nominal board does wrong at its calibration samples is taken out of what its arrays are programmed to.

A compiled board is not yet its network. Amplifiers have a finite gain, a clamp leaks, the line of a neuron that is off is moved
by its neighbours, the select transistors bend a little, and all of it lags. At the signals that a network really sees, most of
that is an affine function of a layer's inputs, and a layer's weights and biases can take it back. Other conductances are
programmed for it, and a capacitor lies across the integrators' resistors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from circuits.array.programming import Programming
from cosim.behavioural.blueprint import Blueprint, blueprint_of
from cosim.behavioural.board import Board, Snapshot, make_board
from cosim.behavioural.signal import Signal
from cosim.behavioural.stages.integrator import injected
from cosim.compiler.compile import compile_board
from cosim.compiler.compiled_twin import CompiledTwin
from cosim.compiler.options import Options
from cosim.compiler.scaling import Calibration
from cosim.console import Progress
from cosim.problem.network import Affine, Network
from training.trainer import one_thread

SAMPLES = 2000  # of the calibration at which a board is looked at, at most; spread evenly over it
PER_UNKNOWN = 3  # samples per number that is fitted; a layer with fewer has its constant part taken out alone
CLEARLY_ON = 0.01  # part of the layer's largest voltage above which a neuron counts as on: below, its diodes decide
CUT = 1e-3  # directions of the inputs below this part of the strongest are left alone: the samples hardly hold them
LEAD_DIGITS = 4  # of lag and charge: more would only make new decks


@one_thread()  # at these sizes more are slower
def trimmed_board(network: Network, calibration: Calibration, options: Options,
                  progress: Progress | None = None, *, model: Callable[[Blueprint], Board] = make_board) -> CompiledTwin:
    """Compile a network to a board whose errors at the calibration samples are taken out.

    First the lag of the loop is measured and given to the lead capacitor, unless ``options.lead`` says one. Then the layers
    follow in order: every hidden neuron is held against ReLU(W x + b) where it is clearly on, signals at rest, and the
    derivatives against the network's, signals moving. What is off is fitted by least squares as an affine function of the
    layer's inputs and taken off its weights and biases. At last the initial conditions get the charge that the integrators'
    switches take off them. The boards that are looked at are nominal: programming errors of the options are drawn on the board
    that is returned, and are not trimmed.

    Args:
        network, calibration, options, progress: as for :func:`cosim.compiler.compile.compile_board`.
        model: gives the behavioural model that is looked at; another one leaves out a cause of errors, to see its share.
    Returns:
        The board; its network and scales are those of the untrimmed one, its options have the lead that was chosen.
    Raises:
        CosimError: a board that the behavioural model does not know (kappa).
        UnsupportedModelError, MappingError: as :func:`cosim.compiler.compile.compile_board`.
    """
    bench = _Bench(network, calibration, options, model)
    layers = list(network.layers)
    if not options.lead:
        options = replace(options, lead=bench.lag(layers))
        bench.options = replace(bench.options, lead=options.lead)
    for number in range(len(layers)):
        layers[number] = bench.corrected(layers, number)
    twin = compile_board(network, calibration, options, progress, programmed=tuple(layers))
    return replace(twin, board=replace(twin.board, ic_shift=float(f"{injected(twin.board.c_int):.{LEAD_DIGITS}g}")))


class _Bench:
    """Boards of one network at its calibration samples."""

    def __init__(self, network: Network, calibration: Calibration, options: Options, model: Callable[[Blueprint], Board]):
        chosen = np.unique(np.linspace(0, len(calibration.states) - 1, SAMPLES).round().astype(int))
        self.network, self.calibration, self.model = network, calibration, model
        self.inputs, self.states = calibration.inputs[chosen], calibration.states[chosen]
        # macromodels are not needed here, and reducing the arrays takes longer than all the rest
        self.options = replace(options, fidelity="flat", programming=Programming())

    def look(self, layers: list[Affine], *, moving: bool) -> tuple[CompiledTwin, Snapshot, np.ndarray]:
        """A board, its voltages at the samples, and its states (m, n_states) there [model units]."""
        twin = compile_board(self.network, self.calibration, self.options, programmed=tuple(layers))
        external = torch.as_tensor(self.inputs * np.array(twin.scales.inputs))
        with torch.no_grad():
            seen = self.model(blueprint_of(twin))(torch.as_tensor(self.states * twin.scales.state),
                                                  Signal(external, torch.zeros_like(external)), moving=moving)
        return twin, seen, seen.states.numpy() / twin.scales.state

    def slopes(self, layers: list[Affine]) -> tuple[np.ndarray, np.ndarray, float]:
        """States and slopes (m, n_states) on a moving board [model units, model s], and its circuit seconds per model s."""
        twin, seen, states = self.look(layers, moving=True)
        return states, seen.slope.numpy() * twin.scales.time / twin.scales.state, twin.scales.time

    def lag(self, layers: list[Affine]) -> float:
        """Lag of the loop [s, circuit time]: least squares of slope = f - lag * df/dt, every state by its own range."""
        states, slope, time_scale = self.slopes(layers)
        wanted = self.network.derivative(self.inputs, states)
        reach = np.abs(wanted).max(axis=0)
        span = np.abs(states).max(axis=0)
        step = 1e-6 * np.divide(span, reach, out=np.full_like(span, np.inf), where=reach > 0).min()  # model s
        if not np.isfinite(step) or step == 0:
            return 0.0  # nothing moves
        rise = (self.network.derivative(self.inputs, states + step * wanted) - wanted) / step
        reach[reach == 0] = 1.0
        power = float(np.square(rise / reach).sum())
        lag = float(((wanted - slope) * rise / reach**2).sum() / power) * time_scale if power > 0 else 0.0
        return float(f"{max(lag, 0.0):.{LEAD_DIGITS}g}")

    def corrected(self, layers: list[Affine], number: int) -> Affine:
        """One layer, what the board shows it to do wrong taken off."""
        network, layer = self.network, layers[number]
        last = number == len(layers) - 1
        if last and layer.relu:
            return layer  # derivatives of one sign: what its diodes do is no affine function
        if last:
            states, got, _ = self.slopes(layers)
        else:
            twin, seen, states = self.look(layers, moving=False)
            scale = twin.scales.neurons[number]  # V per unit
            got = seen.hidden[number].numpy() / scale
        wanted = network.pre_activations(self.inputs, states)[number]
        feeding = network.first(self.inputs, states) if number == 0 else network.signals(self.inputs, states)[number - 1]
        size = np.sqrt(np.square(feeding).mean(axis=0))
        if not last:
            volts = wanted * scale
            fits = [_affine(feeding[on], (got - wanted)[on, j : j + 1], layer.bias is not None, size)
                    for j, on in enumerate((volts > CLEARLY_ON * volts.max(initial=0.0)).T)]
            weight, bias = np.concatenate([w for w, _ in fits]), np.concatenate([b for _, b in fits])
        else:
            weight, bias = _affine(feeding, got - wanted, layer.bias is not None, size)
        return replace(layer, weight=layer.weight - weight, bias=None if layer.bias is None else layer.bias - bias)


def _affine(x: np.ndarray, error: np.ndarray, constant: bool, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least squares of error (m, k) = W x + b on inputs (m, n): W (k, n), b (k,), zero where the samples do not tell.

    Args:
        size: (n,), of the inputs over all samples. An input that is small at these samples and not at others gets no weight,
            which would move the neuron where it must stay off.
    """
    n = x.shape[1]
    none = np.zeros((error.shape[1], n)), np.zeros(error.shape[1])
    if len(x) < PER_UNKNOWN * (n + constant):
        return (none[0], error.mean(axis=0)) if constant and len(x) >= PER_UNKNOWN else none
    size = np.where(size > 0, size, 1.0)
    columns = np.column_stack([x / size, np.ones(len(x))]) if constant else x / size
    found = np.linalg.lstsq(columns, error, rcond=CUT)[0]
    return (found[:n] / size[:, None]).T, found[n] if constant else none[1]
