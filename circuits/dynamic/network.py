"""A network of devices as a circuit: arrays, limiters, devices, and what hands values from layer to layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from PySpice.Spice.Netlist import SubCircuit

from circuits.array.macromodel import Reduced
from circuits.board import nets
from circuits.board.layer import LayerSpec, layer
from circuits.dynamic.deck_device import DeckDevice
from circuits.dynamic.device import DeviceError
from circuits.netlist.block import Block
from circuits.stages.follower import follower
from circuits.stages.inverter import inverter
from circuits.stages.sample_and_hold import sample_and_hold
from circuits.stages.soft_limiter import soft_limiter

COUPLINGS = ("held", "direct")


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """What the compiler decided about a network's circuit."""

    layers: tuple[LayerSpec, ...]  # one per layer of devices, then the readout
    devices: tuple[DeckDevice, ...]  # one per layer of devices
    coupling: str = "held"  # "held": a sample-and-hold per device between layers; "direct": a device drives the next array
    reduced: Mapping[str, Reduced] | None = None  # reduced array of each tile, by name, for macromodels; None: every cell
    noisy: bool = True  # whether the noise of devices that have one is driven
    names: tuple[str, ...] = field(init=False)  # of the devices' noise pins

    def __post_init__(self) -> None:
        if self.coupling not in COUPLINGS:
            raise DeviceError(f"coupling {self.coupling!r}: give {' or '.join(COUPLINGS)}")
        if len(self.layers) != len(self.devices) + 1:
            raise DeviceError(f"{len(self.layers)} layers of weights for {len(self.devices)} of devices; give one more")
        for device in self.devices:
            if device.input_range != (-1.0, 1.0) or device.n_inputs != 1 or device.n_outputs != 1:
                raise DeviceError(f"device {device.name}: a network's limiter drives one input over [-1, 1] V; it has "
                                  f"{device.n_inputs} inputs over [{device.input_range[0]:g}, {device.input_range[1]:g}] V and "
                                  f"{device.n_outputs} outputs")
        names = [noise_net(number, k) for number, spec in enumerate(self.layers[:-1], 1) for k in range(spec.n_outputs)
                 if self.has_noise(number)]
        object.__setattr__(self, "names", tuple(names))

    def has_noise(self, number: int) -> bool:
        """Whether the noise of layer ``number``, from 1, is driven."""
        return self.noisy and self.devices[number - 1].noise is not None

    @property
    def clocks(self) -> tuple[str, ...]:
        """Clock pins, one per layer that another layer samples."""
        return tuple(clock(number) for number in range(1, len(self.devices))) if self.coupling == "held" else ()

    @property
    def references(self) -> dict[str, float]:
        """Reference pins of all devices, with their voltages [V]."""
        return {pin: volts for device in self.devices for pin, volts in device.references.items()}

    @property
    def n_outputs(self) -> int:
        return self.layers[-1].n_outputs


def noise_net(number: int, k: int) -> str:
    """Noise of device k of layer ``number``, from 1."""
    return f"noise{number}_{k}"


def clock(number: int) -> str:
    """What makes the layer behind layer ``number``, from 1, sample it."""
    return f"{nets.SELECT}{number}"


def observable(number: int, k: int) -> str:
    """Output of device k of layer ``number``, from 1; inside the network."""
    return f"x{number}_{k}"


def drive(number: int, k: int) -> str:
    """Input of device k of layer ``number``, from 1; inside the network."""
    return f"s{number}_{k}"


def network_pins(spec: NetworkSpec) -> tuple[str, ...]:
    """Inputs, bias reference, sampling clocks, noise of every device, readouts, devices' references, supplies."""
    inputs = tuple(nets.external_column(k) for k in range(spec.layers[0].n_inputs))
    readouts = tuple(nets.derivative(k) for k in range(spec.n_outputs))
    return (*inputs, nets.REFERENCE, *spec.clocks, *spec.names, *readouts, *spec.references, "vcc", "vee")


def network_block(spec: NetworkSpec) -> Block:
    """The whole network. Pins: see :func:`network_pins`."""
    s = SubCircuit("network", *network_pins(spec))
    blocks = [layer(layer_spec, spec.reduced) for layer_spec in spec.layers]
    lines: list[str] = []
    for k in range(spec.layers[0].n_inputs):
        signal = nets.external_column(k)
        plus, minus = nets.pair(signal)
        s.X(signal, "follower", signal, plus, "vcc", "vee")
        s.X(f"{signal}_inv", "inverter", plus, minus, "vcc", "vee")
        lines += [plus, minus]
    bias = nets.pair("bias")
    s.X("bias", "follower", nets.REFERENCE, bias[0], "vcc", "vee")
    s.X("bias_inv", "inverter", *bias, "vcc", "vee")
    for number, (layer_spec, block) in enumerate(zip(spec.layers, blocks, strict=True), start=1):
        readout = number == len(blocks)
        sums = [nets.derivative(k) if readout else f"z{number}_{k}" for k in range(layer_spec.n_outputs)]
        s.X(layer_spec.name, block.name, *lines, *bias, *sums, "vcc", "vee")
        lines = []
        for k in range(0 if readout else layer_spec.n_outputs):
            lines += _node(s, spec, number, k)
    widths = " -> ".join(map(str, (spec.layers[0].n_inputs, *(layer_spec.n_outputs for layer_spec in spec.layers))))
    hold = (sample_and_hold(),) if spec.clocks else ()
    return Block(
        netlist=s,
        purpose=f"network of devices, {widths}; d<k> is minus readout k",
        pins={
            "u0..": "generators of the inputs", nets.REFERENCE: "bias reference voltage",
            **({"sel<l>": "clock: 2.5 V while layer l + 1 samples what layer l shows, else 0 V"} if spec.clocks else {}),
            **({"noise<l>_<k>": "coloured noise of device k of layer l, of unit deviation"} if spec.names else {}),
            "d0..": "readouts, inverted",
            **({" ".join(spec.references): "references of the devices"} if spec.references else {}),
            "vcc vee": "supplies, +2.5 V and -2.5 V"},
        drawing=f"""
            u<k> --[follower, inverter]-- pairs --[layer_{spec.layers[0].name}]-- z1_<k> --[soft_limiter]-- s1_<k>
            s1_<k> --[{spec.devices[0].block.name}]-- x1_<k>{' --[sample_and_hold]' if hold else ''} -- pairs --[next layer] ...
            last devices -- pairs --[layer_{spec.layers[-1].name}]-- d<k>
        """,
        uses=(*blocks, soft_limiter(), *{device.block.name: device.block for device in spec.devices}.values(), *hold,
    follower(), inverter()), )


def _node(s: SubCircuit, spec: NetworkSpec, number: int, k: int) -> tuple[str, str]:
    """Limiter, device and what drives the next array; gives the pair of lines."""
    device, x = spec.devices[number - 1], observable(number, k)
    s.X(f"limit{number}_{k}", "soft_limiter", f"z{number}_{k}", drive(number, k), "vcc", "vee")
    s.X(f"device{number}_{k}", device.block.name, drive(number, k), noise_net(number, k) if spec.has_noise(number) else 0, x,
        *device.references, "vcc", "vee")
    if number <= len(spec.clocks):
        plus, minus = nets.pair(f"h{number}_{k}")
        s.X(f"hold{number}_{k}", "sample_and_hold", x, clock(number), plus, "vcc", "vee")
    else:
        plus, minus = x, f"{x}_n"
    s.X(f"inv{number}_{k}", "inverter", plus, minus, "vcc", "vee")
    return plus, minus
