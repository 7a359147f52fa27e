"""Bands: how far each vector may be from its golden curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from circuits.engine.waveforms import Waveforms
from cosim.errors import GoldenError, GoldenMismatch
from cosim.golden.signals import has_own_zero, match, shown, unit_of

Share = float | Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Bands:
    """Half widths by vector; each vector is in one of ``relative`` and ``absolute``."""

    relative: Mapping[str, float]  # part of the vector's full scale, 0.005 is half a percent
    absolute: Mapping[str, float]  # in the vector's unit
    floor: Mapping[str, float]  # least half width of a relative band, in the vector's unit

    def half_width(self, name: str, golden: Waveforms) -> float:
        """Half width around a golden curve, in the vector's unit.

        Raises:
            GoldenMismatch: the band is relative, without a floor, and the curve is zero throughout.
        """
        if name in self.absolute:
            return self.absolute[name]
        width = max(self.relative[name] * full_scale(golden, name), self.floor.get(name, 0.0))
        if width == 0:
            raise GoldenMismatch(f"{name} of golden file {golden.title} is zero throughout, so a band relative to full scale "
                                 f"means nothing; give it one in its unit, e.g. band_abs={{{name!r}: 1e-6}}, or a floor")
        return width

    def origin(self, name: str, golden: Waveforms) -> str:
        """Where the half width comes from, in words."""
        if name in self.absolute:
            return "absolute"
        if self.floor.get(name, 0.0) > self.relative[name] * full_scale(golden, name):
            return "the floor"
        return f"{100 * self.relative[name]:g} % of the full scale of {shown(full_scale(golden, name), unit_of(name), 4)}"


def full_scale(golden: Waveforms, name: str) -> float:
    """Largest magnitude of a vector, in its unit."""
    return float(np.max(np.abs(golden[name])))


def bands(vectors: Sequence[str], band: Share, band_abs: Share | None, floor: Share | None) -> Bands:
    """Bands of a test's vectors.

    Args:
        band: half width as a part of full scale, of every vector or by vector.
        band_abs: half width in the vector's unit, in the place of ``band`` for the vectors that it names, or for all.
        floor: least half width of a relative band, in the vector's unit.
    Raises:
        GoldenError: a number that is none or outside its limits, a name that is not compared, a vector without a band or with
            two, a relative band of decibels or a phase.
    """
    relative = _by_vector("band", band, vectors, most=1.0)
    absolute = _by_vector("band_abs", band_abs, vectors)
    twice = [name for name in relative if name in absolute] if isinstance(band, Mapping) else []
    if twice:
        raise GoldenError(f"{twice[0]} has a band and a band_abs; give it one of them")
    relative = {name: value for name, value in relative.items() if name not in absolute}
    for name in vectors:
        if name not in relative and name not in absolute:
            raise GoldenError(f"band has no value for {name}, only for {', '.join(relative) or 'none'}; add {name!r} to it, or "
                              "to band_abs")
        if name in relative and not has_own_zero(name):
            raise GoldenError(f"a band relative to full scale means nothing for {name}, whose zero is a convention; give it a "
                              f"band in {unit_of(name)}, e.g. band_abs={{{name!r}: 0.1}}")
    return Bands(relative=relative, absolute=absolute, floor=_by_vector("floor", floor, vectors))


def _by_vector(what: str, given: Share | None, vectors: Sequence[str], most: float = math.inf) -> dict[str, float]:
    if given is None and what != "band":
        return {}
    if not isinstance(given, Mapping):
        return dict.fromkeys(vectors, _checked(what, given, most))
    values: dict[str, float] = {}
    for spelling, value in given.items():
        name = match(str(spelling), vectors)
        if name is None or name in values:
            fault = "not compared" if name is None else "named twice"
            raise GoldenError(f"{what} names {spelling!r}, which is {fault}; compared are {', '.join(vectors)}")
        values[name] = _checked(f"{what}[{spelling!r}]", value, most)
    return values


def _checked(what: str, value: object, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value <= most or not math.isfinite(value):
        rule = "more than 0 and at most 1: a part of full scale, 0.005 is half a percent" if most == 1 else (
            "a positive, finite number, in the vector's unit")
        raise GoldenError(f"{what} = {value!r}; give {rule}")
    return float(value)
