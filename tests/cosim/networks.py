"""Networks, calibrations, initial values and stimuli of every kind, for Hypothesis; and the compiled board on paper."""

import numpy as np
import torch
from hypothesis import strategies as st
from torch import nn

from circuits.array.crossbar import SIZE
from circuits.array.network import port_conductance
from circuits.stages.relu_tia import leakage
from cosim.compiler.scaling import Calibration
from cosim.experiment import Experiment
from cosim.problem.case import Case
from training.stimuli import ModulatedSine, Noise, PulseTrain, Ramp, Rectangular, Sampled, Sine, Step, Triangular

WEIGHTS = ("normal", "normal", "normal", "zeros", "one huge", "all equal", "denormal", "tiny", "wide", "one row", "negative")


def weights(kind, shape, rng):
    """An array of a kind."""
    normal = rng.normal(size=shape) / np.sqrt(shape[-1])
    if kind == "zeros":
        return np.zeros(shape)
    if kind == "one huge":
        normal.flat[rng.integers(normal.size)] = rng.choice([-1, 1]) * 10.0 ** rng.integers(2, 9)
    elif kind == "all equal":
        normal[:] = normal.flat[0]
    elif kind == "denormal":
        normal *= 1e-310
    elif kind == "tiny":
        normal *= 1e-6
    elif kind == "wide":
        normal *= 10.0 ** rng.uniform(-8, 3, size=shape)
    elif kind == "one row":
        normal[1:] = 0
    elif kind == "negative":
        normal = -np.abs(normal)
    return normal


@st.composite
def stimuli(draw):
    """One stimulus, of a duration of 0.02 s at least."""
    own = draw(st.sampled_from([None, None, None, "samples", "held", "pulses", "step", "ramp", "noise", "sum", "product"]))
    if own in ("samples", "held"):
        values = draw(st.lists(st.floats(-0.3, 0.3), min_size=2, max_size=60))
        return Sampled(times=np.linspace(0.0, 0.02, len(values)), values=values, hold_last=True,
                       interpolation="hold" if own == "held" else "linear")
    if own in ("sum", "product"):
        first, second = Sine(amplitude=0.1, period=0.01), draw(stimuli())
        return first + second if own == "sum" else first * second
    if own is not None:
        return {"pulses": PulseTrain(high=0.2, rise=1e-4, fall=2e-4, width=1e-3, period=4e-3),
                "step": Step(after=-0.2, time=5e-3, rise=1e-4), "ramp": Ramp(slope=10.0),
                "noise": Noise.of_rms(0.05, bandwidth=500.0, seed=draw(st.integers(0, 3)))}[own]
    kind = draw(st.sampled_from([Sine, ModulatedSine, Triangular, Rectangular]))
    return kind(amplitude=draw(st.sampled_from([0.0, 1e-9, 0.03, 0.09, -0.09, 0.5])),
                bias=draw(st.sampled_from([0.0, 0.0485, -0.2])), period=draw(st.sampled_from([1e-3, 0.01, 0.1, 1.0])))


@st.composite
def experiments(draw, widest=40, deepest=3, most_states=3, kinds=WEIGHTS, duration=0.02):
    """An experiment of any shape."""
    n_inputs, n_states = draw(st.integers(0, 2)), draw(st.integers(1, most_states))
    hidden = draw(st.lists(st.integers(1, widest), max_size=deepest))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    layers = []
    for fed, out in zip([n_inputs + n_states, *hidden], [*hidden, n_states], strict=True):
        linear = nn.Linear(fed, out, bias=draw(st.booleans()), dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights(draw(st.sampled_from(kinds)), (out, fed), rng)))
            if linear.bias is not None:
                linear.bias.copy_(torch.from_numpy(weights(draw(st.sampled_from(kinds)), (1, out), rng)[0]))
        layers.append(linear)
        if draw(st.integers(0, 3)) and len(layers) < 2 * len(hidden) + 1:
            layers.append(nn.ReLU())
    if isinstance(layers[-1], nn.ReLU) and draw(st.booleans()):
        layers.pop()
    case = Case(name="fuzz", stimuli=tuple(draw(stimuli()) for _ in range(n_inputs)), duration=duration, samples=41,
                initial=tuple(draw(st.sampled_from([0.0, 0.1, -0.3, 1e-12, 1.0])) for _ in range(n_states)))
    reach = draw(st.sampled_from([0.0, 1e-3, 0.5, 0.5, 0.5, 1e4]))
    return Experiment(
        subject="fuzz", model=nn.Sequential(*layers), cases=(case,),
        columns=(*(f"u{k}" for k in range(n_inputs)), *(f"x{k}" for k in range(n_states))),
        calibration=Calibration(inputs=case.inputs(case.times), states=rng.uniform(-reach, reach, (case.samples, n_states))))


SEVENTH_DIGIT = 1.2e-11  # S, of a pair: half of it in each of two cells below 100 uS, wires and iteration a fifth more


class PaperBoard:
    """A compiled board with port conductances and ideal amplifiers."""

    def __init__(self, twin):
        self.twin = twin
        r_on = twin.options.transistor.on_resistance()
        self.ports = [[port_conductance(one.g, selected=np.arange(SIZE) < one.tile.n_outputs, wires=twin.options.wires,
                                        r_on=r_on, r_port=0.0 if len(layer.tiles) == 1 else twin.options.r_board)
                       for one in layer.tiles] for layer in twin.layers]

    def __call__(self, inputs, states):
        """dx/dt (n_states,) of one sample, model units."""
        return self.told(inputs, states)[0]

    def told(self, inputs, states):
        """dx/dt of one sample, and how far the programming may be from the network there: (n_states,) model units each.

        Every weight is off by its residual and may be by the seventh digit of the deck; what comes in off,
        goes out through the weights' magnitudes, and a ReLU takes nothing away.
        """
        twin = self.twin
        of = {"u": np.asarray(inputs) * twin.scales.inputs, "x": np.asarray(states) * twin.scales.state}
        volts = np.array([of[name[0]][int(name[1:])] for name in twin.network.columns])
        doubt = np.zeros_like(volts)
        for layer, ports in zip(twin.layers, self.ports, strict=True):
            pairs = np.append(volts, twin.scales.bias) if layer.spec.bias else volts
            doubt = np.append(doubt, 0.0) if layer.spec.bias else doubt
            residual = np.zeros_like(layer.target)
            for one in layer.tiles:
                first = one.tile.first_line // 2
                residual[one.tile.outputs, first : first + one.tile.n_lines // 2] = one.wanted.residual
            off = np.abs(residual) @ np.abs(pairs) + SEVENTH_DIGIT * np.abs(pairs).sum()
            doubt = layer.spec.r_f * (np.abs(layer.target) @ doubt + off)
            lines = np.stack([pairs, -pairs], axis=1).ravel()
            current = np.zeros(layer.spec.n_outputs)
            for one, port in zip(layer.tiles, ports, strict=True):
                padded = np.zeros(SIZE)
                padded[: one.tile.n_lines] = lines[one.tile.lines]
                current[one.tile.outputs] += (port @ padded)[: one.tile.n_outputs]
            if layer.spec.relu:
                # the compiler takes the diode's leakage out through the bias; a layer without one keeps it, 25 uV at 10 kohm
                current = np.maximum(current - (leakage() if layer.spec.bias else 0.0), 0)
            volts = layer.spec.r_f * current
        back = twin.scales.time / (twin.board.r_in * twin.board.c_int * twin.scales.state)
        return volts * back, doubt * back
