"""Devices that are equations: the reference of the published method's probe, and two that are like published arrays.

Nobody here has the arrays' models or data. What is named "-like" has their kind of behaviour (memory, saturation, several
outputs) in equations of ours, and no figure of theirs.
"""

from __future__ import annotations

import numpy as np

from circuits.dynamic.equation_device import EquationDevice
from circuits.dynamic.noise import ColouredNoise

OURS = "equation and figures ours; no model or data of the published array"


def reference_leaky() -> EquationDevice:
    """The leaky integrator of the probe, dimensionless: dx/dt = -x + s + sigma(x) a, sigma(x) = 0.05 sqrt(1 + (x / 0.4)**2).

    Time constant 1, steps of 0.25, inputs uniform in +-2, noise of about a tenth of the signal's standard deviation, 0.4.
    """
    sigma, corner = 0.05, 0.4

    def slope(x: np.ndarray, s: np.ndarray, a: np.ndarray) -> np.ndarray:
        return -x + s + sigma * np.sqrt(1 + (x / corner) ** 2) * a

    return EquationDevice(
        name="reference_leaky", purpose="leaky integrator with coloured, signal-dependent noise, the reference",
        input_range=(-2.0, 2.0), input_units="", output_units="", outputs=("x",), step_time=0.25, n_states=1, slope=slope,
        observe=lambda x: x, noise=ColouredNoise.of(sigma, 0.5, "deviation rises as sqrt(1 + (x / 0.4)**2)"),
        provenance={"equation": "dx/dt = -x + s + noise", "figures": "a probe's of the noise-aware method; noise's law ours"})


def ring_array_like() -> EquationDevice:
    """Like an array of magnetic rings in a rotating field: magnetisation m and the part v of rings in a vortex.

    Walls move only above a soft threshold of the field, |s| about 1: rate r(s) = 1 / (1 + exp(-6 (|s| - 1))) / 0.8.
    dm/dt = r ((1 - v) tanh(2 s) - m), and dv/dt = r (exp(-(|s| - 1.1)**2 / 0.08) (1 - v) - v / 2): middling fields make
    vortices, strong ones sweep them out. Observables: m, m**2 (as an anisotropic resistance has it), and v. Noise shakes the
    field, more where walls move.
    """

    def slope(x: np.ndarray, s: np.ndarray, a: np.ndarray) -> np.ndarray:
        m, v, field = x[:, :1], x[:, 1:], np.abs(s)
        rate = 1 / (1 + np.exp(-6 * (field - 1))) / 0.8
        shaken = s + 0.15 * a
        return rate * np.hstack([(1 - v) * np.tanh(2 * shaken) - m + 0.1 * (1 - m**2) * a,
                                 np.exp(-((np.abs(shaken) - 1.1) ** 2) / 0.08) * (1 - v) - 0.5 * v])

    return EquationDevice(
        name="ring_array_like", purpose="ring-array-like device: memory, threshold, saturation, three outputs",
        input_range=(-2.0, 2.0), input_units="", output_units="", outputs=("magnetisation", "its square", "vortices"),
        step_time=0.25, n_states=2, slope=slope,
        observe=lambda x: np.concatenate([x[..., :1], x[..., :1] ** 2, x[..., 1:]], axis=-1),
        noise=ColouredNoise.of(0.15, 0.5, "shakes the field; acts as far as walls move"),
        provenance={"equation": "rates of moving walls", "figures": OURS})


def spin_ice_like() -> EquationDevice:
    """Like an artificial spin ice: four classes of islands with switching fields 0.5, 0.8, 1.1 and 1.4 and a common coupling.

    Each class flips towards its local field h = s + 0.3 mean(m) above its own switching field only:
    dm_j/dt = (tanh(3 h) - m_j) / (1 + exp(-12 (|h| - c_j))) / 0.4. Observables: three fixed mixtures of the classes, as the
    amplitudes at three frequencies of a resonance spectrum are. Noise adds to the local field, so it
    counts where a class is about to flip.
    """
    switching = np.array([0.5, 0.8, 1.1, 1.4])
    mixtures = np.array([[0.5, 0.5, 0.0, 0.0], [0.1, 0.4, 0.4, 0.1], [0.0, -0.2, 0.5, 0.7]])

    def slope(x: np.ndarray, s: np.ndarray, a: np.ndarray) -> np.ndarray:
        local = s + 0.3 * x.mean(axis=1, keepdims=True) + 0.1 * a
        return (np.tanh(3 * local) - x) / (1 + np.exp(-12 * (np.abs(local) - switching))) / 0.4

    return EquationDevice(
        name="spin_ice_like", purpose="spin-ice-like device: hysteresis of four classes of islands, three outputs",
        input_range=(-2.0, 2.0), input_units="", output_units="", outputs=("mixture 0", "mixture 1", "mixture 2"),
        step_time=0.25, n_states=4, slope=slope, observe=lambda x: x @ mixtures.T,
        noise=ColouredNoise.of(0.1, 0.5, "adds to the local field; counts where a class is about to flip"),
        provenance={"equation": "classes with switching fields", "figures": OURS})
