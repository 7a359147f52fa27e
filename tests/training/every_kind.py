"""One stimulus of every kind, with parameters that hide no mistake, for tests of what all have in common."""

import numpy as np
from scipy import signal

from training.stimuli import (
    Chirp,
    Constant,
    Function,
    ModulatedSine,
    Noise,
    Product,
    PulseTrain,
    Ramp,
    Rectangular,
    Sampled,
    Scaled,
    Sine,
    Step,
    Stretched,
    Sum,
    Triangular,
)

TIMES = np.array([-0.02, 0.0, 0.013, 0.02, 0.05, 0.11, 0.2, 0.26, 0.3])  # s, uneven
VALUES = np.array([0.4, 0.1, -0.3, 0.25, 0.25, 0.7, -0.6, 0.0, 0.35])  # model units
SINE = {"amplitude": 0.3, "bias": -0.2, "period": 0.07}


def swept(t):
    return 0.1 + 0.4 * signal.chirp(t, f0=5.0, t1=0.2, f1=40.0, phi=-90)


def bump(t):
    return np.exp(-(((t - 0.1) / 0.02) ** 2))


KINDS_OF = {  # name of the case -> stimulus
    "sine": Sine(**SINE),
    "modulated_sine": ModulatedSine(**SINE),
    "triangular": Triangular(**SINE),
    "rectangular": Rectangular(**SINE),
    "constant": Constant(value=-0.37),
    "step": Step(before=-0.2, after=0.5, time=0.08, rise=0.003),
    "ramp": Ramp(slope=-3.0, initial=0.2, begin=0.03, end=0.19),
    "endless ramp": Ramp(slope=1.5),
    "pulses": PulseTrain(low=-0.1, high=0.6, delay=0.013, rise=0.002, fall=0.004, width=0.011, period=0.03),
    "linear samples": Sampled(times=TIMES, values=VALUES),
    "held samples": Sampled(times=TIMES, values=VALUES, interpolation="hold", edge=1e-3),
    "last sample held": Sampled(times=TIMES[:6], values=VALUES[:6], hold_last=True),
    "late samples": Sampled(times=TIMES[2:], values=VALUES[2:]),
    "noise": Noise(density=1e-4, bandwidth=120.0, seed=3, bias=0.1),
    "linear chirp": Chirp(amplitude=0.4, bias=0.1, start=5.0, stop=40.0, sweep=0.2),
    "falling chirp": Chirp(amplitude=0.4, start=30.0, stop=0.0, sweep=0.1),
    "logarithmic chirp": Chirp(amplitude=0.4, bias=-0.1, start=3.0, stop=60.0, sweep=0.2, law="logarithmic"),
    "function": Function(bump),
    "sum": Sum(stimuli=(Sine(**SINE), Constant(value=0.1), Sampled(times=TIMES, values=VALUES), Triangular(period=0.11))),
    "product": Product(stimuli=(Sine(**SINE), Ramp(slope=2.0), Rectangular(period=0.09))),
    "scaled": Scaled(factor=-2.5, stimulus=Sine(**SINE)),
    "scaled sum": Scaled(factor=0.5, stimulus=Sum(stimuli=(Sine(**SINE), Step(time=0.1, rise=0.01)))),
    "stretched function": Stretched(stimulus=Function(bump), factor=1.7),
}
SAMPLED = {"linear chirp", "falling chirp", "logarithmic chirp", "function", "product", "stretched function"}  # to an error
SINES = {"sine", "modulated_sine", "sum", "scaled", "scaled sum"}  # bend everywhere
T_STOP = 0.23  # s, within all samples
