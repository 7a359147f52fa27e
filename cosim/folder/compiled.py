"""A compiled network: the handle of its folder of decks, as `compile_network` and `load` give it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from circuits.board.board import BoardSpec
from cosim.folder.floor_plan import floor_plan
from cosim.folder.manifest import Manifest, read_manifest
from cosim.folder.read import read_folder_network, read_programmed, read_truth
from cosim.problem.case import Case
from cosim.problem.network import Network


@dataclass(frozen=True, kw_only=True, eq=False)
class CompiledNetwork:
    """A folder of decks on the disk; what is large in it is read when it is asked for."""

    folder: Path
    manifest: Manifest

    @property
    def subject(self) -> str:
        return self.manifest.subject

    @property
    def fidelity(self) -> str:
        """Of the decks: "flat" or "macro"."""
        return self.manifest.fidelity

    @property
    def board(self) -> BoardSpec:
        return self.manifest.board

    @property
    def cases(self) -> dict[str, Case]:
        """The runs, by name."""
        return self.manifest.cases

    @property
    def decks(self) -> dict[str, Path]:
        """The deck of every case."""
        return {name: self.folder / f"{name}.cir" for name in self.cases}

    @cached_property
    def network(self) -> Network:
        """The network that the decks compute.

        Raises:
            ResultsError: the folder's weights are others.
        """
        return read_folder_network(self.manifest)

    def truth(self, case: str) -> np.ndarray | None:
        """What the system really does in a case, (samples, n_states), model units; None: the experiment did not say.

        Raises:
            ResultsError: its file is missing, or another than the one that was compiled.
        """
        return read_truth(self.manifest, case)

    def conductances(self) -> dict[str, np.ndarray]:
        """Programmed conductances of every array, (32, 32) [S], by the array's name; row = source line, column = bit line."""
        programmed = read_programmed(self.manifest, self.board)
        return {tile.name: g for layer, tiles in zip(self.board.layers, programmed, strict=True)
                for tile, g in zip(layer.tiles, tiles, strict=True)}

    def to_frame(self) -> pd.DataFrame:
        """One row per layer: its size, arrays, feedback resistor [ohm], cells in use, largest weight not reached [S]."""
        rows = []
        for layer, record in zip(self.board.layers, self.manifest.layers, strict=True):
            rows.append({"layer": layer.name, "inputs": layer.n_inputs, "outputs": layer.n_outputs, "arrays": len(layer.tiles),
                         "r_f": layer.r_f, "cells": layer.n_outputs * layer.n_bit_lines, "unreached": len(record.unreached),
                         "worst_residual": max((abs(cell.residual) for cell in record.unreached), default=0.0)})
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return f"<CompiledNetwork {self.subject!r}, {self.fidelity}, cases {', '.join(self.cases)}, in {self.folder}>"

    def _repr_html_(self) -> str:
        return (f"<p><b>{escape(self.subject)}</b>, {escape(self.fidelity)} decks of {escape(', '.join(self.cases))} in "
                f"<code>{escape(str(self.folder))}</code></p>{self.to_frame().to_html(index=False, border=0)}"
                f"<pre>{escape(floor_plan(self.board.layers))}</pre>")


def load(folder: str | Path) -> CompiledNetwork:
    """Open a folder that was compiled before.

    Raises:
        ResultsError: it is none; says how to make one.
    """
    return CompiledNetwork(folder=Path(folder), manifest=read_manifest(Path(folder)))
