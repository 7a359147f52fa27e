"""What an array's programming is for a network in training: the bridge from the array's figures to the trainer's noise."""

from __future__ import annotations

from circuits.array.programming import Programming
from circuits.array.window import Window
from cosim.errors import CosimError
from training.noise import WeightNoise


def weight_noise(programming: Programming, window: Window | None = None) -> WeightNoise:
    """Noise with which a network is trained for an array.

    Args:
        programming: levels and error; its spread is taken to three digits.
        window: programmable conductances; None: the nominal ones.
    Raises:
        CosimError: programming without levels.
    """
    window = window or Window()
    if programming.levels is None:
        raise CosimError("programming without levels: training rounds to levels, so give a number of them, e.g. 64")
    return WeightNoise(g_min=window.g_min, g_max=window.g_max, levels=programming.levels,
                       spread=float(f"{programming.spread:.3g}"))
