"""Quantities as a reader writes them: a prefix, four digits, the field's own units."""

from __future__ import annotations

from math import floor, log10

# shown as: unit, factor to it, whether it takes a prefix
_FIELD = {
    "ohm": ("Ω", 1.0, True),
    "ohm m": ("Ω·µm", 1e6, True),
    "A/m": ("A/µm", 1e-6, True),
    "V/s": ("V/µs", 1e-6, True),
    "V/sqrt(Hz)": ("V/√Hz", 1.0, True),
    "deg": ("°", 1.0, False),
    "dB": ("dB", 1.0, False),
    "%": ("%", 1.0, False),
}
_PREFIX = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}


def quantity(value: float, unit: str, digits: int = 4, sign: str = "") -> str:
    """E.g. ``quantity(1.1e6, "Hz")`` is "1.1 MHz"; an SI unit that is not known here takes a prefix.

    Args:
        sign: "+" writes the sign of a positive value too.
    """
    shown, factor, prefixed = _FIELD.get(unit, (unit, 1.0, True))
    value = float(f"{value * factor:.{digits}g}")
    if not prefixed or value == 0:
        return f"{value:{sign if value else ''}g} {shown}"
    power = min(max(3 * floor(log10(abs(value)) / 3), min(_PREFIX)), max(_PREFIX))
    return f"{value / 10**power:{sign}g} {_PREFIX[power]}{shown}"


def percent(fraction: float) -> str:
    """Signed, to a tenth of a percent; zero has no sign."""
    value = round(100 * fraction, 1)
    return f"{value:+.1f} %" if value else "0.0 %"
