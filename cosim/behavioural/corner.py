"""A board at a corner, for the behavioural model."""

from __future__ import annotations

from dataclasses import replace

from circuits.corners.corner import Corner
from circuits.corners.layer import layer_at
from cosim.behavioural.blueprint import Blueprint
from cosim.behavioural.board import Board, make_board
from cosim.behavioural.offsets import equal_offsets
from cosim.behavioural.stages.diode import Diode


def board_at(blueprint: Blueprint, corner: Corner) -> Board:
    """The blueprint's board with the corner's offsets, diodes, select transistors and wires.

    Conductances and resistors stay, and so does what the compiler took out for the nominal board. Of the supplies only what
    the word lines see is modelled, of the temperature nothing but offset drift, diodes and select transistors.
    """
    spec = replace(blueprint.board, layers=tuple(layer_at(one, corner) for one in blueprint.board.layers))
    return make_board(replace(blueprint, board=spec), offsets=equal_offsets(spec, corner.vos), diode=Diode.from_part(corner))
