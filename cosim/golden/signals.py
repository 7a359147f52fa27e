"""Signals: the real vectors of a run that a golden file holds, and their units."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from circuits.engine.waveforms import Waveforms, canonical
from cosim.errors import GoldenError
from cosim.report.quantity import quantity

SCALE_UNITS = {"time": "s", "frequency": "Hz", "v-sweep": "V", "i-sweep": "A", "temp-sweep": "°C", "res-sweep": "ohm"}
_OF_COMPLEX = re.compile(r"(db|phase)\((.+)\)")


def signals(run: Waveforms, vectors: Sequence[str]) -> Waveforms:
    """The scale and the asked vectors of a run, all real and finite, under the names of the raw file.

    A complex vector, of an ``.ac``, is asked for as ``db(v(out))`` [dB] or ``phase(v(out))`` [degrees, without jumps].

    Raises:
        GoldenError: no vector, one twice, a complex one, one that is not finite, or a run that is partial, has one point or
            runs backwards.
        MissingVector: the run has none such; lists the closest names.
    """
    asked = (vectors,) if isinstance(vectors, str) else tuple(vectors)
    if not asked:
        raise GoldenError("vectors is empty, so nothing would be compared; name at least one, e.g. vectors=('v(out)',)")
    if run.partial:
        raise GoldenError(f"plot {run.plot!r} is partial: its run did not reach its end, and such a curve is never compared; "
                          "mend the run")
    if len(run) < 2 or np.any(np.diff(run.scale) < 0):
        fault = f"has {len(run)} point(s)" if len(run) < 2 else f"has a {run.scale_name} that runs backwards"
        raise GoldenError(f"plot {run.plot!r} {fault}; a curve of two points or more over an ascending scale is needed, of a "
                          ".tran, an .ac or a .dc of one ascending sweep")
    columns: dict[str, np.ndarray] = {}
    for vector in asked:
        name, values = _signal(run, vector)
        if name in columns:
            raise GoldenError(f"vectors names {name} twice; remove one")
        if name == run.scale_name:
            raise GoldenError(f"vectors names {name}, the scale that every vector is compared over; remove it")
        if not np.all(finite := np.isfinite(values)):
            first = int(np.argmin(finite))
            raise GoldenError(f"{name} of the run is {values[first]} at {run.scale_name} = {run.scale[first]:.9g}; only finite "
                              "values can be compared, correct what computed them")
        columns[name] = values
    return Waveforms(plot=run.plot, title=run.title, names=(run.scale_name, *columns),
                     data=np.column_stack([run.scale, *columns.values()]))


def match(vector: str, names: Sequence[str]) -> str | None:
    """The name that a spelling such as "out" or "db(out)" stands for, among those compared; None where it is none of them."""
    derived = _OF_COMPLEX.fullmatch(canonical(vector))
    for name in _spellings(derived[2] if derived else vector):
        wrapped = f"{derived[1]}({name})" if derived else name
        if wrapped in names:
            return wrapped
    return None


def unit_of(name: str) -> str:
    """Unit of a vector, by its name; empty where the name does not tell."""
    for start, unit in (("v(@", ""), ("v(", "V"), ("i(", "A"), ("db(", "dB"), ("phase(", "deg")):
        if name.startswith(start):
            return unit
    return ""


def shown(value: float, unit: str, digits: int = 6, sign: str = "") -> str:
    """A value for a message, e.g. "632.121 mV"; without a unit there is no prefix."""
    return quantity(value, unit, digits, sign) if unit else f"{value:{sign}.{digits}g}"


def shown_point(scale_name: str, value: float) -> str:
    """A point of the scale for a message, e.g. "1.002 ms"."""
    return shown(value, SCALE_UNITS.get(scale_name, ""), 7)


def has_own_zero(name: str) -> bool:
    """Whether a part of the vector's full scale means something; the zero of dB and of a phase is a convention."""
    return not _OF_COMPLEX.fullmatch(name)


def _signal(run: Waveforms, vector: str) -> tuple[str, np.ndarray]:
    derived = None if vector in run else _OF_COMPLEX.fullmatch(canonical(vector))
    source = derived[2] if derived else vector
    values = run[source]
    name = next(spelling for spelling in _spellings(source) if spelling in run.names)
    if derived is None:
        # the scale of an .ac makes every column of its plot complex
        if np.iscomplexobj(values) and name != run.scale_name:
            raise GoldenError(f"{name} is complex, from an .ac; ask for 'db({name})' [dB] or 'phase({name})' [degrees] "
                              f"instead, each with a band_abs, e.g. band_abs={{'db({name})': 0.1}}")
        return name, values.real
    if not np.iscomplexobj(values):
        raise GoldenError(f"{vector} needs a complex vector, from an .ac, and {name} of plot {run.plot!r} is real; ask for "
                          f"{name!r}")
    if derived[1] == "phase":
        return f"phase({name})", np.degrees(np.unwrap(np.angle(values)))
    with np.errstate(divide="ignore"):  # a magnitude of zero is refused by the caller, as minus infinity
        return f"db({name})", 20 * np.log10(np.abs(values))


def _spellings(vector: str) -> tuple[str, ...]:
    """The names in a raw file that a spelling may stand for, as Waveforms looks for them."""
    key = canonical(vector)
    return key, f"v({key})", f"i({key})"
