"""Stop times that a deck writes as expressions, worked out by ngspice itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from circuits.engine.door.request import Request

_PRINTED = re.compile(r"^cosim_stop(\d+)\s*=\s*([-+\d.e]+)\s*$", re.M | re.I)


def stop_deck(request: Request, stops: Sequence[str]) -> str:
    """The little deck that prints stop times, numbers or expressions in the deck's parameters."""
    names = [f"cosim_stop{number}" for number in range(len(stops))]
    return "\n".join([
        "cosim stop times", *request.context, "v_cosim_dummy cosim_dummy 0 0", ".op",
        *(f".csparam {name}={_braced(stop)}" for name, stop in zip(names, stops, strict=True)),
        ".control", "set numdgt=15", *(f"print {name}" for name in names), "quit", ".endc", ".end", ""])


def read_stops(stops: Sequence[str], stdout: str) -> dict[str, float]:
    """Time [s] by what the deck wrote; those that ngspice could not work out are missing."""
    return {stops[int(number)]: float(value) for number, value in _PRINTED.findall(stdout)}


def _braced(stop: str) -> str:
    inner = stop.strip("'") if stop.startswith("'") else stop.removeprefix("{").removesuffix("}")
    return "{" + inner + "}"
