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
    with pytest.raises(CircuitError, match=r"d\.cir:2: include 'gone\.inc' is not a file"):
        inspect_deck(deck)
    with pytest.raises(CircuitError, match="does not exist; name a deck"):
        inspect_deck(tmp_path / "none.cir")


def test_reads_a_deck_as_the_door_does(tmp_path):
    deck = tmp_path / "d.cir"
    (tmp_path / "my parts.lib").write_text(".lib tt\n.subckt half a b\nr1 a b 1k\n.ends\n.endl\n.lib ff\nr9 x y 1\n.endl\n")
    deck.write_text(".title any\nx1 in out half\n.lib 'my parts.lib' tt\n# a remark\no1 in 0 out 0 line\n.model line ltra r=1\n"
                    "a1 in q gg\n.model gg gain\n.print tran v(in)\n.end\nr2 out 0 1k\n")
    contents = inspect_deck(deck)
    assert contents.devices == {"r": 2, "o": 1, "a": 1}
    assert contents.instances == {"half": 1}
    assert contents.nodes == 2


def test_a_circle_is_refused(tmp_path):
    deck = tmp_path / "d.cir"
    deck.write_text("* t\n.subckt a p\nx1 p b\n.ends\n.subckt b p\nx1 p a\n.ends\nx1 n a\n.end\n")
    with pytest.raises(CircuitError, match="contains itself"):
        inspect_deck(deck)
