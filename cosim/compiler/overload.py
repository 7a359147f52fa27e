"""Lines that ask their amplifier for more current than it gets through its clamp's resistor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.stages.clamp import R_S
from cosim.compiler.compiled_twin import CompiledLayer
from cosim.compiler.scaling import SWING


def overloads(layers: Sequence[CompiledLayer], volts: Sequence[np.ndarray], bias: float) -> list[str]:
    """What a user should know of lines that would be clipped, in words: the worst of each layer, and the bias.

    An amplifier drives its own line of a pair through r_s; every row of the next layer adds a cell to that line. At v on the
    line the amplifier itself is at v (1 + r_s G), and it reaches SWING. The other line of a pair has no resistor in its way.

    Args:
        layers: of the board.
        volts: for each layer (n_inputs,) [V], largest on the lines that feed it.
        bias: [V], one line for all layers.
    """
    notes, for_bias = [], 0.0
    for layer, largest in zip(layers, volts, strict=True):
        conductance = _line_conductance(layer)
        if layer.spec.bias:
            for_bias += conductance[-2]  # the reference drives the + line
        own = conductance[layer.spec.undriven == "n" : 2 * layer.spec.n_inputs : 2]
        needed = largest * (1 + R_S * own)
        if needed.max(initial=0.0) > SWING:
            worst = int(np.argmax(needed))
            notes.append(f"layer {layer.spec.name}: {_words(f'input {worst}', largest[worst], own[worst])}")
    if bias * (1 + R_S * for_bias) > SWING:
        notes.append(_words("the bias", bias, for_bias))
    return notes


def _words(line: str, volts: float, conductance: float) -> str:
    fits = SWING / (1 + R_S * conductance)
    return (f"the line of {line} is clipped: at {volts:.3g} V it draws {1e3 * volts * conductance:.2g} mA, and its amplifier "
            f"holds {fits:.2g} V behind {R_S:g} ohm; divide ranges.line by {volts / fits:.2g}, or have fewer neurons")


def _line_conductance(layer: CompiledLayer) -> np.ndarray:
    """(bit lines,) [S]: all cells on each line of the layer, the source lines at virtual ground."""
    total = np.zeros(layer.spec.n_bit_lines)
    for array in layer.tiles:
        tile = array.tile
        total[tile.first_line : tile.first_line + tile.n_lines] += array.g[: tile.n_outputs, : tile.n_lines].sum(axis=0)
    return total
