"""Preferred resistor values."""

from __future__ import annotations

from math import floor, log10

from cosim.errors import MappingError

SMALLEST, LARGEST = 1.0, 1e8  # ohm; above, the op-amps' 10 pA of bias current would make more than a millivolt
_PER_DECADE = 96


def e96_at_least(resistance: float) -> float:
    """The smallest E96 value (IEC 60063) of at least ``resistance`` [ohm].

    Raises:
        MappingError: no such resistor is made.
    """
    if not SMALLEST <= resistance <= LARGEST:
        raise MappingError(f"a resistor of {resistance:.3g} ohm is needed, which is outside {SMALLEST:g} to {LARGEST:g} ohm; "
                           "rescale the network's weights, its units or its time_scale")
    decade = floor(log10(resistance))
    values = (round(round(10 ** (k / _PER_DECADE), 2) * 10.0**e, 6) for e in (decade, decade + 1) for k in range(_PER_DECADE))
    return min(value for value in values if value >= resistance * (1 - 1e-12))


def floor_digits(value: float, digits: int = 3) -> float:
    """Round a positive number down to ``digits`` significant digits, so that a deck states what a reader can type."""
    exponent = floor(log10(value)) - digits + 1
    return float(f"{floor(value / 10**exponent * (1 + 1e-12)) * 10.0**exponent:.{digits}g}")
