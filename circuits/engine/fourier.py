"""Fourier: the tables of the deck's ``.four`` cards, worked out by ngspice itself from the finished raw file."""

from __future__ import annotations

import re

import numpy as np

from circuits.engine.door.request import FourierCard
from circuits.engine.waveforms import Waveforms

_TITLE = re.compile(r"^Fourier analysis for (.+):\s*$", re.M)
_DISTORTION = re.compile(r"THD: *([-+.\deinfa]+) *%", re.I)
_ROW = re.compile(r"^ *\d+((?: +[-+.\deinfa]+){5}) *$", re.M | re.I)


def fourier_deck(card: FourierCard, raw: str) -> str:
    """The little deck that prints a card's table for a raw file of one transient in the working folder."""
    return "\n".join([
        "cosim fourier", "v_cosim_dummy cosim_dummy 0 dc 0", ".tran 1 1", ".control", f"load {raw}", "set numdgt=16",
        f"fourier {card.frequency} {' '.join(card.vectors)}", "quit", ".endc", ".end", ""])


def read_fourier(name: str, card: FourierCard, stdout: str) -> tuple[Waveforms | None, dict[str, float]]:
    """The table as a plot over the harmonic, and the total harmonic distortion [1] by vector; None where there is none.

    Columns: harmonic, frequency [Hz], and for each vector its magnitude [its unit] and phase [deg].
    """
    parts = _TITLE.split(stdout)[1:]
    names, columns, types = ["harmonic", "frequency"], [], ["", "frequency"]
    distortion: dict[str, float] = {}
    for vector, text in zip(parts[::2], parts[1::2], strict=True):
        rows = np.array([found.split() for found in _ROW.findall(text)], dtype=float)
        if not len(rows):
            continue
        vector = vector.lower()
        columns = columns or [np.arange(len(rows), dtype=float), rows[:, 0]]
        columns += [rows[:, 1], rows[:, 2]]
        names += [f"magnitude({vector})", f"phase({vector})"]
        types += ["current" if vector.startswith("i(") else "voltage", "phase"]
        if found := _DISTORTION.search(text):
            distortion[vector] = float(found[1]) / 100
    if not columns:
        return None, {}
    return Waveforms(plot="Fourier Analysis", title="", names=tuple(names), data=np.column_stack(columns), name=name,
                     card=card.card.text, types=tuple(types)), distortion
