"""Counting what is in a deck."""

import pytest

from circuits.benches.blocks import block_bench
from circuits.errors import CircuitError
from circuits.netlist.deck import write_files
from circuits.netlist.inspection import inspect_deck


def test_counts_an_array(tmp_path):
    deck = block_bench("array_32x32")
    write_files(tmp_path, deck.files())
    contents = inspect_deck(tmp_path / "array_32x32.cir")
    assert contents.instances["cell_1t1r"] == 1024
    assert contents.instances["memristor"] == 1024
    # two wire resistors and one memristor resistor a cell; one transistor a cell
    assert contents.devices["r"] == 3 * 1024
    assert contents.devices["m"] == 1024
    # bl_far, sl_far and be of every cell, and ten driven ports, two supplies
    assert contents.nodes == 3 * 1024 + 10 + 2


def test_names_what_is_missing(tmp_path):
    deck = tmp_path / "d.cir"
    deck.write_text("* t\nx1 a b nothing\n.end\n")
    with pytest.raises(CircuitError, match="'nothing' is used"):
        inspect_deck(deck)
    deck.write_text("* t\n.include gone.inc\n.end\n")
    with pytest.raises(CircuitError, match=r"gone\.inc does not exist; included by"):
        inspect_deck(deck)
    with pytest.raises(CircuitError, match="does not exist; name a deck"):
        inspect_deck(tmp_path / "none.cir")


def test_a_circle_is_refused(tmp_path):
    deck = tmp_path / "d.cir"
    deck.write_text("* t\n.subckt a p\nx1 p b\n.ends\n.subckt b p\nx1 p a\n.ends\nx1 n a\n.end\n")
    with pytest.raises(CircuitError, match="contains itself"):
        inspect_deck(deck)
