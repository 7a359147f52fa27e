"""The transfer: a trained network of devices compiled to one deck of memristor arrays, limiters and devices."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from PySpice.Spice.Netlist import Circuit

from circuits.board import nets
from circuits.board.layer import reduce_layer
from circuits.dynamic.deck_device import EDGE, SOLVER, SUPPLY, pwl
from circuits.dynamic.network import NetworkSpec, network_block, noise_net, observable
from circuits.dynamic.squash import VOLTS
from circuits.engine.result import Result
from circuits.netlist.deck import Deck
from circuits.stages.sample_and_hold import C_HOLD, CHARGE
from cosim.compiler.compile import LayerTask, compile_layer
from cosim.compiler.compiled_twin import CompiledLayer
from cosim.compiler.memory import check_memory
from cosim.compiler.options import Options
from cosim.devices.trained import TrainedNetwork
from cosim.errors import ClippingError
from cosim.folder.decks import conductance_file
from cosim.problem.network import Affine

INPUT_VOLTS = 0.2  # V, the largest input's; what a memristor may be read with
BIAS_VOLTS = 0.2  # V
OUTPUT_VOLTS = 1.0  # V, the largest output's; the readout's TIA drives no array
WINDOW = 0.04  # part of a step in which a layer samples the one before: six time constants of the sample-and-hold
C_SWITCH = 20e-12  # F, of the switch beside the hold capacitor


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkDeck:
    """A compiled network; makes decks of input sequences and reads what they gave."""

    network: TrainedNetwork
    spec: NetworkSpec
    layers: tuple[CompiledLayer, ...]
    notes: tuple[str, ...]  # what a user should know: weights not reached or lost

    @property
    def held(self) -> bool:
        return bool(self.spec.clocks)

    @property
    def lag(self) -> int:
        """Steps that the readout is behind the inputs: one per layer that samples another."""
        return len(self.spec.clocks)

    def deck(self, inputs: np.ndarray, seed: int = 0, sequence: int = 0, name: str = "network") -> Deck:
        """The deck of one sequence.

        Args:
            inputs: (steps, n_inputs), within the input limit.
            seed, sequence: what the devices' noise is drawn from, with the numbers of layer and device.
        Raises:
            ClippingError: an input that is not finite or beyond the limit.
        """
        inputs = np.asarray(inputs, dtype=float)
        if inputs.ndim != 2 or not len(inputs):
            raise ClippingError(f"inputs of shape {inputs.shape}; give (steps, {self.network.n_inputs})")
        self.check(inputs)
        steps = len(inputs) + self.lag
        stop = steps * self.network.step_time
        block = network_block(self.spec)
        c = Circuit("network")
        c.V("_cc", "vcc", 0, f"dc {SUPPLY}")
        c.V("_ee", "vee", 0, f"dc {-SUPPLY}")
        c.V("_ref", nets.REFERENCE, 0, f"dc {BIAS_VOLTS!r}")
        for pin, volts in self.spec.references.items():
            c.V(f"_{pin}", pin, 0, f"dc {volts!r}")
        for number, pin in enumerate(self.spec.clocks, start=1):
            c.V(f"_{pin}", pin, 0, self._clock(number))
        c.X("net", block.name, *block.netlist.external_nodes)
        largest = min(device.step_time if device.noise is None else device.noise.grid for device in self.spec.devices)
        saved = [f"v({nets.derivative(k)})" for k in range(self.spec.n_outputs)]
        saved += [f"v(xnet.{observable(number, k)})" for number, layer in enumerate(self.network.layers, 1)
                  for k in range(len(layer.theta))]
        return Deck(
            name=name, title=f"network of devices, {len(inputs)} steps of {self.network.step_time:g} s",
            banner=self._banner(seed), block=block, bench=c, analysis=f".tran {largest!r} {stop!r} 0 {largest!r}",
            save=tuple(saved), options=SOLVER.options,
            extra_files={"stimuli.inc": self._stimuli(inputs, steps, seed, sequence),
                         **{f"conductances/{tile.tile.name}.inc": conductance_file(layer, tile)
                            for layer in self.layers for tile in layer.tiles}},
            bench_includes={"stimuli.inc": "inputs, held for a step each, and noise of unit deviation on its own grid"})

    def check(self, inputs: np.ndarray) -> None:
        """Refuse inputs (..., steps, n_inputs) that the network was not compiled for.

        Raises:
            ClippingError: another number of inputs, not finite, or beyond the limit; says which, where, and the limit.
        """
        limit = self.network.input_limit
        if inputs.shape[-1] != self.network.n_inputs:
            raise ClippingError(f"inputs of shape {inputs.shape}; the network has {self.network.n_inputs} inputs a step")
        bad = np.argwhere(~(np.abs(inputs) <= limit * (1 + 1e-9)))
        if len(bad):
            *_, step, k = bad[0]
            raise ClippingError(f"input {k} of step {step} is {inputs[tuple(bad[0])]:g}, beyond the limit {limit:g} that the "
                                f"network was compiled for (as are {len(bad) - 1} more); scale the inputs, or compile with a "
                                "larger limit")

    def read(self, result: Result, steps: int) -> tuple[np.ndarray, list[np.ndarray]]:
        """Outputs (steps, outputs), and the observables (steps + 1, nodes) [V] of every layer, as the training counts steps.

        Where layers sample each other, layer l runs l - 1 steps behind, less a window per layer.
        """
        waves, step = result.waveforms, self.network.step_time

        def times(number: int) -> np.ndarray:
            behind = (number - 1) * step * (1 - WINDOW) if self.held else 0.0
            return np.arange(steps + 1) * step + behind

        observed = [np.stack([np.interp(times(number), waves.time, waves[f"v(xnet.{observable(number, k)})"])
                              for k in range(len(layer.theta))], axis=1)
                    for number, layer in enumerate(self.network.layers, 1)]
        volts = np.stack([np.interp(times(len(self.network.layers)), waves.time, waves[f"v({nets.derivative(k)})"])
                          for k in range(self.spec.n_outputs)], axis=1)
        return -volts[1:] * self.network.output_limit / OUTPUT_VOLTS, observed

    def _clock(self, number: int) -> str:
        """High in a window that ends where the steps of layer ``number`` end; the layer behind starts its step with the window.

        The clock is high at the start, so that nothing that is held is left over from nowhere.
        """
        step, edge = self.network.step_time, 4e-6
        first = step - (number - 1) * WINDOW * step if number > 1 else 0.0
        return f"pulse({SUPPLY} 0 {first:.9g} {edge:g} {edge:g} {(1 - WINDOW) * step - edge:.9g} {step:.9g})"

    def _stimuli(self, inputs: np.ndarray, steps: int, seed: int, sequence: int) -> str:
        step = self.network.step_time
        starts = np.arange(1, len(inputs)) * step
        times = np.concatenate([[0.0], np.column_stack([starts, starts + EDGE * step]).ravel()])
        lines = []
        for k, values in enumerate(inputs.T * INPUT_VOLTS / self.network.input_limit):
            held = np.concatenate([values[:1], np.column_stack([values[:-1], values[1:]]).ravel()])
            lines += pwl(f"v_u{k} {nets.external_column(k)}", times, held)
        for number, device in enumerate(self.spec.devices, 1):
            if not self.spec.has_noise(number):
                continue
            nodes = range(len(self.network.layers[number - 1].theta))
            draws = device.draw(steps, [np.random.default_rng([seed, sequence, number, k]) for k in nodes])
            for k, values in zip(nodes, draws, strict=True):
                net = noise_net(number, k)
                lines += pwl(f"v_{net} {net}", np.arange(len(values)) * device.noise.grid, values)
        return "\n".join(lines) + "\n"

    def _banner(self, seed: int) -> tuple[str, ...]:
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(theta, dtype=float).tobytes() for theta in self.network.thetas))
        widths = "-".join(map(str, (self.network.n_inputs, *(len(theta) for theta in self.network.thetas))))
        coupling = ("layers sample each other at the end of a step, layer l is l - 1 steps behind" if self.held
                    else "a device drives the next array all the time")
        return (
            f"purpose    a {widths} network of devices, o = theta z; readout k is -v(d<k>)",
            "generator  cosim; generated, do not edit",
            f"weights    sha256 {digest.hexdigest()}",
            "hierarchy  network > layer_theta_<l> > array > cell; network > soft_limiter, device, sample_and_hold",
            "pairs      input j of an array drives bit lines 2j (+v) and 2j+1 (-v); w = (g_p - g_n) / g_scale",
            f"scales     input 1 is {INPUT_VOLTS / self.network.input_limit:g} V, z of 1 is {VOLTS:g} V at z<l>_<k>, "
            f"inverted; output 1 is {OUTPUT_VOLTS / self.network.output_limit:g} V",
            f"coupling   {coupling}",
            f"noise      {f'seed {seed}' if self.spec.noisy else 'off'}; " + "; ".join(
                dict.fromkeys(f"{device.name} {device.facts()['noise']}" for device in self.spec.devices)),
        )


def compile_network_deck(network: TrainedNetwork, options: Options | None = None, *, coupling: str = "held",
                         noisy: bool = True) -> NetworkDeck:
    """Compile a trained network of devices.

    Weights go onto arrays as those of any other board, wires and transistors compensated. Means and deviations of the
    observables, and the charge that a sample-and-hold's switch injects, go into weights and biases.

    Args:
        options: fidelity, window, wires, programming error and the rest.
        coupling: "held": a sample-and-hold per device between layers, as the training exchanges values; "direct": none.
        noisy: whether the devices' noise is drawn.
    Raises:
        MappingError: weights that no feedback resistor and window can hold.
        DeviceError: a device that the limiter cannot drive.
    """
    options = options or Options(fidelity="macro")
    check_memory([(2 * theta.shape[1], len(theta)) for theta in network.thetas], options.fidelity)
    held = coupling == "held"
    compiled: list[CompiledLayer] = []
    for number, theta in enumerate(network.thetas, start=1):
        readout = number == len(network.thetas)
        weight, bias = theta[:, :-1], theta[:, -1]
        if number == 1:
            column_scale = np.full(weight.shape[1], INPUT_VOLTS / network.input_limit)
        else:
            shown = network.layers[number - 2]
            injected = -CHARGE / (C_HOLD + C_SWITCH) if held and not readout else 0.0
            bias = bias - weight.sum(axis=1) * (shown.mean + injected) / shown.std
            column_scale = np.full(weight.shape[1], shown.std)
        scale = OUTPUT_VOLTS / network.output_limit if readout else VOLTS
        compiled.append(compile_layer(LayerTask(
            number=number, last=True, layer=Affine(weight=weight, bias=bias, relu=False), column_scale=column_scale,
            out_scale=np.full(len(theta), scale), bias_volts=BIAS_VOLTS, undriven="",
            own_name="theta_out" if readout else f"theta_{number}"), options))
    reduced = None
    if options.fidelity == "macro":
        reduced = {name: array for layer in compiled
                   for name, array in reduce_layer(layer.spec, [tile.g for tile in layer.tiles]).items()}
    spec = NetworkSpec(layers=tuple(layer.spec for layer in compiled), devices=tuple(x.device for x in network.layers),
                       coupling=coupling, reduced=reduced, noisy=noisy)
    return NetworkDeck(network=network, spec=spec, layers=tuple(compiled),
                       notes=tuple(note for layer in compiled for note in layer.notes()))
