"""A minimal ngspice bench for tests of parts: one deck, one process, every plot of its binary raw file."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np

from circuits.parts import part_path

SUPPLY = 2.5  # V

Plot = dict[str, np.ndarray]  # vector name -> (points,) values


def deck(body: str, *, parts: tuple[str, ...], supply: float = SUPPLY, options: str = "klu") -> str:
    """Deck of ``body`` between its supplies (nodes vcc, vee) and ``.options``; .noise refuses ``klu``, give ""."""
    includes = [f".include {part_path(part)}" for part in parts]
    rails = [f"vcc vcc 0 {supply}", f"vee vee 0 {-supply}"]
    tail = [f".options {options}"] if options else []
    return "\n".join(["bench", *includes, *rails, body, *tail, ".end", ""])


def plots(text: str, folder: Path) -> tuple[list[Plot], str]:
    """Run a deck in ``folder``; every plot of the raw file and the log.

    Raises:
        AssertionError: exit code, or a message with which ngspice exits 0 over a wrong result.
    """
    (folder / "deck.cir").write_text(text)
    done = subprocess.run(
        ["ngspice", "-n", "-b", "-r", "out.raw", "deck.cir"],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )
    log = done.stdout + done.stderr
    assert done.returncode == 0, log[-2000:]
    assert not re.search(r"error|aborted|ignored!|singular matrix|not \w+ supported", log, re.IGNORECASE), log[-2000:]
    return _parse((folder / "out.raw").read_bytes()), log


def run(text: str, folder: Path) -> Plot:
    """The only plot of a deck."""
    (plot,), _ = plots(text, folder)
    return plot


def op(text: str, folder: Path) -> dict[str, float]:
    """Operating point, vector name -> value."""
    return {name: float(v[0]) for name, v in run(text, folder).items()}


def crossing(t: np.ndarray, v: np.ndarray, level: float, after: float = 0.0) -> float:
    """First time past ``after`` at which v crosses ``level``, either way, linearly interpolated [s]."""
    above = v > level
    k = np.flatnonzero((above[1:] != above[:-1]) & (t[1:] > after))[0]
    return float(t[k] + (level - v[k]) / (v[k + 1] - v[k]) * (t[k + 1] - t[k]))


def _parse(raw: bytes) -> list[Plot]:
    found = []
    while raw:
        start = raw.index(b"Binary:\n") + len(b"Binary:\n")
        head = raw[:start].decode()
        kind = np.complex128 if "complex" in re.search(r"Flags:.*", head)[0] else np.float64
        n = int(re.search(r"No\. Points: *(\d+)", head)[1])
        names = [line.split()[1] for line in head.split("Variables:\n")[1].split("Binary:")[0].strip().splitlines()]
        size = n * len(names) * np.dtype(kind).itemsize
        table = np.frombuffer(raw[start : start + size], dtype=kind).reshape(n, len(names))
        assert np.isfinite(table).all()
        found.append(dict(zip(names, table.T, strict=True)))
        raw = raw[start + size :]
    return found
