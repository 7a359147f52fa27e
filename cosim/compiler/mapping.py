"""Signed weights to differential conductance pairs."""

from __future__ import annotations

import numpy as np

from circuits.array.window import Window
from cosim.errors import MappingError


def weights_to_pairs(w: np.ndarray, window: Window, g_scale: float | None = None):
    """Map signed weights to differential conductance pairs, w = (g_p - g_n) / g_scale.

    The idle device of a pair rests at g_min, so a zero weight costs 2 * g_min of power.

    Args:
        w: (out, in), dimensionless, finite.
        window: programmable conductance range [S].
        g_scale: [S per unit weight]; None takes the largest that fits the window (1 S for an all-zero matrix's
            unit, where any scale fits).
    Returns:
        g_p, g_n: (out, in) [S]; g_scale: [S per unit weight].
    Raises:
        MappingError: a weight is not finite, or does not fit the window; names its index.
    """
    w = np.asarray(w, dtype=float)
    if not np.isfinite(w).all():
        r, c = np.argwhere(~np.isfinite(w))[0]
        raise MappingError(f"w[{r},{c}] = {w[r, c]}: weights must be finite")
    largest = np.abs(w).max(initial=0.0)
    if g_scale is None:
        g_scale = window.span / largest if largest > 0 and np.isfinite(window.span / largest) else window.span
    difference = w * g_scale
    if (np.abs(difference) > window.span * (1 + 1e-12)).any():
        r, c = np.unravel_index(np.argmax(np.abs(difference)), w.shape)
        side = "g_p" if w[r, c] > 0 else "g_n"
        raise MappingError(
            f"{side}[{r},{c}] = {(window.g_min + abs(difference[r, c])) * 1e6:.2f} uS exceeds g_max = "
            f"{window.g_max * 1e6:.2f} uS; lower g_scale, widen the window or clip the weights"
        )
    difference = np.clip(difference, -window.span, window.span)
    g_p = window.g_min + np.maximum(difference, 0.0)
    g_n = window.g_min + np.maximum(-difference, 0.0)
    return g_p, g_n, g_scale


def pairs_to_weights(g_p: np.ndarray, g_n: np.ndarray, g_scale: float) -> np.ndarray:
    """The inverse of :func:`weights_to_pairs`: (out, in), dimensionless."""
    return (g_p - g_n) / g_scale


def interleave(g_p: np.ndarray, g_n: np.ndarray, size: int, idle: float) -> np.ndarray:
    """Place pairs on an array: bit lines 2j and 2j+1 carry +v and -v of input j; cells not in use rest at ``idle``.

    Args:
        g_p, g_n: (out, in) [S].
        size: rows and columns of the array.
        idle: [S].
    Returns:
        (size, size) [S], row = source line, column = bit line.
    """
    n_out, n_in = g_p.shape
    if n_out > size or 2 * n_in > size:
        raise MappingError(f"{n_out} outputs and {2 * n_in} bit lines do not fit a {size}x{size} array")
    g = np.full((size, size), idle)
    g[:n_out, 0 : 2 * n_in : 2] = g_p
    g[:n_out, 1 : 2 * n_in : 2] = g_n
    return g
