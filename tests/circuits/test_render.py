"""Deck text: golden decks, and what may never get into one."""

from pathlib import Path

import pytest
from PySpice.Spice.Netlist import Circuit, SubCircuit

from circuits.benches.blocks import BENCHES, block_bench
from circuits.errors import CircuitError
from circuits.netlist.block import Block
from circuits.netlist.deck import Deck, write_files
from circuits.netlist.render import comment, render_block, render_elements, wrap

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", sorted(p.stem for p in GOLDEN.glob("*.cir")))
def test_golden_bench(name):
    assert block_bench(name).render() == (GOLDEN / f"{name}.cir").read_text()


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.inc")), ids=lambda p: p.stem)
def test_golden_block(path):
    blocks = {b.name: b for name in BENCHES for b in block_bench(name).block.leaf_to_top()}
    assert render_block(blocks[path.stem]) == path.read_text()


def test_there_are_golden_files():
    assert len(list(GOLDEN.glob("*.cir"))) >= 2
    assert len(list(GOLDEN.glob("*.inc"))) >= 3


def test_continuation_keeps_every_word_and_the_comment_last():
    words = [f"node_{k}" for k in range(60)]
    lines = wrap("x1 " + " ".join(words), "  ; note")
    assert all(len(line) <= 120 + len("  ; note") for line in lines)
    assert all(line.startswith("+ ") for line in lines[1:])
    assert " ".join(line.removeprefix("+ ") for line in lines).removesuffix("  ; note").split() == ["x1", *words]


def test_a_line_break_in_a_value_is_refused():
    s = SubCircuit("s", "a")
    s.V("x", "a", 0, "dc 0\n.control")
    with pytest.raises(CircuitError, match="would inject a card"):
        render_elements(s)


def test_a_line_break_in_a_comment_is_refused():
    with pytest.raises(CircuitError, match="would inject a card"):
        comment(["fine", "title\n.control"])


def test_a_note_for_nothing_is_refused():
    with pytest.raises(CircuitError, match="r_missing"):
        render_elements(SubCircuit("s", "a"), {"r_missing": "ohm"})


def test_a_deck_that_saves_nothing_is_refused():
    block = Block(netlist=SubCircuit("s", "a"), purpose="", pins={})
    with pytest.raises(CircuitError, match="saves no vector"):
        Deck(name="d", title="t", banner=(), block=block, bench=Circuit("t"), analysis=".op", save=())


def test_files_are_left_alone_when_nothing_changed(tmp_path):
    files = block_bench("clamp").files()
    write_files(tmp_path, files)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.*")}
    write_files(tmp_path, files)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.*")} == before
    assert len(before) == len(files)
