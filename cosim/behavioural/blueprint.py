"""What the behavioural model is built from: topology, scales and programmed conductances of one board."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.board.board import BoardSpec
from circuits.board.testbench import Timing
from cosim.compiler.compiled_twin import CompiledTwin
from cosim.compiler.scaling import Scales
from cosim.errors import CosimError
from cosim.problem.case import Case


@dataclass(frozen=True, kw_only=True, eq=False)
class Blueprint:
    """One nominal board; see :func:`blueprint_of` and :func:`cosim.behavioural.from_folder.read_blueprint`."""

    board: BoardSpec
    scales: Scales
    conductances: tuple[tuple[np.ndarray, ...], ...]  # a layer, a tile: (32, 32) [S] as programmed

    def __post_init__(self) -> None:
        for spec, tiles in zip(self.board.layers, self.conductances, strict=True):
            if spec.kappa:
                raise CosimError(f"layer {spec.name}: memristors with kappa = {spec.kappa} 1/V have no behavioural model, "
                                 "which knows linear cells only; simulate the flat decks, or compile with kappa = 0")
            if len(tiles) != len(spec.tiles):
                raise CosimError(f"layer {spec.name} has {len(spec.tiles)} arrays and conductances of {len(tiles)}")

    def timing(self, case: Case) -> Timing:
        """Circuit-time schedule of a case, that of its deck."""
        return Timing(duration=case.duration * self.scales.time)


def blueprint_of(twin: CompiledTwin) -> Blueprint:
    """Blueprint of a compiled twin, of either fidelity."""
    return Blueprint(board=twin.board, scales=twin.scales,
                     conductances=tuple(tuple(one.g for one in layer.tiles) for layer in twin.layers))
