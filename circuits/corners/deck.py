"""A deck at a corner: its temperature, its parts, and the corner's name in its banner."""

from __future__ import annotations

from dataclasses import replace

from PySpice.Spice.BasicElement import SubCircuitElement

from circuits.corners.corner import NOMINAL_TEMPERATURE, Corner
from circuits.corners.parts import OP_AMPS, parts_at
from circuits.errors import CircuitError
from circuits.netlist.deck import Deck


def deck_at(deck: Deck, corner: Corner, *, nominal: Deck) -> Deck:
    """A deck at a corner, whose files can be written beside the nominal ones: a diff of the two shows what the corner is.

    Args:
        deck: drawn with the corner's supplies, wires and select transistors, its temperature and parts still nominal.
        nominal: the same deck of the nominal board; of a corner that changes nothing it is returned as it is.
    Raises:
        CircuitError: the corner changes nothing in this deck, or there is something in it that the corner would not reach.
    """
    if not corner.changes:
        return nominal
    if corner.vos:
        _check_offsets(deck, corner)
    warm = corner.temperature != NOMINAL_TEMPERATURE
    there = replace(deck, temperature=corner.temperature if warm else None, changed_parts=parts_at(corner))
    before = nominal.files()
    if there.files() == before:
        raise CircuitError(f"corner {corner.name} changes {', '.join(corner.changes)}, and none of {', '.join(before)} depends "
                           "on it")
    remark = f"corner     {corner.name}: {corner.figures}; {corner.reason}; the measures' expectations stay nominal"
    return replace(there, banner=(remark, *there.banner))


def _check_offsets(deck: Deck, corner: Corner) -> None:
    """Refuse op-amps with an offset of their own, which the part's default does not reach."""
    netlists = {f"block {block.name}": block.netlist for block in deck.block.leaf_to_top()}
    for place, netlist in (netlists | {f"the bench of deck {deck.name}": deck.bench}).items():
        for element in netlist.elements:
            if isinstance(element, SubCircuitElement) and element.subcircuit_name in OP_AMPS and "vos" in element.parameters:
                raise CircuitError(f"{place} gives its op-amp {element.name.lower()} its own vos, which corner {corner.name} "
                                   f"({corner.vos} V) would not reach; make the corner from a board without offsets")
