"""Part macromodels: one subcircuit file a part, and how to find them."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from circuits.errors import CircuitError

FOLDER = Path(__file__).parent


def part_path(name: str) -> Path:
    """Path of the part's file, e.g. ``part_path("opa4990")``.

    Raises:
        CircuitError: there is no such part; lists those there are.
    """
    path = FOLDER / f"{name}.lib"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.lib")))
        raise CircuitError(f"no part named {name!r} in {FOLDER}; known parts: {known}")
    return path


@lru_cache
def model_parameters(part: str, model: str) -> dict[str, float]:
    """Parameters of a ``.model`` card, read from the part's file so that no figure is written twice.

    Args:
        part: file stem, e.g. ``"nmos_select"``.
        model: model name on the card.
    Returns:
        name -> value, SI units, lower case.
    Raises:
        CircuitError: the card is not in the file.
    """
    text = re.sub(r"\n\+", " ", re.sub(r"[ \t]*;.*", "", part_path(part).read_text()))
    card = re.search(rf"^\.model\s+{re.escape(model)}\s+\w+\s*\(?([^)\n]*)\)?", text, re.MULTILINE)
    if card is None:
        raise CircuitError(f"{part_path(part)} holds no .model {model}")
    return {k.lower(): _spice_number(v) for k, v in re.findall(r"(\w+)\s*=\s*([-+.\w]+)", card.group(1))}


@lru_cache
def subcircuit_parameters(part: str) -> dict[str, float]:
    """Defaults of the parameters of a part's ``.subckt`` of its own name, e.g. ``subcircuit_parameters("opa4990")["gbw"]``.

    Returns:
        name -> value, SI units, lower case.
    Raises:
        CircuitError: the part's file has no such subcircuit, or it takes no parameters.
    """
    card = re.search(rf"^\.subckt {re.escape(part)} .*?params:(.*)$", part_path(part).read_text(), re.MULTILINE)
    if card is None:
        raise CircuitError(f"{part_path(part)} holds no .subckt {part} with params")
    return {k.lower(): _spice_number(v) for k, v in re.findall(r"(\w+)\s*=\s*([-+.\w]+)", card.group(1))}


_SUFFIX = {"t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}


def _spice_number(text: str) -> float:
    match = re.fullmatch(r"([-+]?[\d.]+(?:e[-+]?\d+)?)(meg|[tgkmunpf])?\w*", text.lower())
    if match is None:
        raise CircuitError(f"{text!r} is not a SPICE number")
    return float(match.group(1)) * _SUFFIX.get(match.group(2), 1.0)
