"""The reader against ngspice itself: what is a remark, a continuation, an end; letters beyond ASCII."""

import pytest

from circuits.cards.card import read_cards
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.errors import SimulationError

from .test_stranger_decks import plain, write

BODY = "v1 a 0 1\nr1 a 0 1k\n"
SAME = {  # ngspice runs it and we read the same
    "remarks between continuations": "t\nv1 a 0 1\nr1 a 0\n* one\n# two\n$ three\n\n+ 1k\n.op\n.end\n",
    "an odd line takes its continuation along": f"t\n{BODY}=x\n+ 1k\n.op\n.end\n",
    "two backslashes in a remark continue nothing": f"t\n{BODY}* remark \\\\\nr2 a 0 1k\n.op\n.end\n",
    "two backslashes continue": "t\nv1 a 0 1\nr1 a 0 \\\\\n1k\n.op\n.end\n",
    "dollar inside a word": "t\nv1 a 0 1\nr1 a 0 1k$x\nr2 a$b 0 1k\nv2 a$b 0 1\n.op\n.end\n",
    "dollar behind a comma": "t\nv1 a 0 1\nr1 a 0 1k $x\nr2 a 0 2k,$y\n.op\n.end\n",
    "two slashes": f"t\n{BODY}b1 c 0 v=v(a)//2\nr3 c 0 1k\n.op\n.end\n",
    "semicolon without a blank": "t\nv1 a 0 1;x\nr1 a 0 1k;y\n.op\n.end\n",
    "page break on a line of its own": f"t\n\x0c\n{BODY}.op\n.end\n",
    "tabs": "t\n\tv1\ta 0\t1\n\t r1 a 0 1k\n\t.op\n\t.end\n",
    "last .title counts": f"x\n{BODY}.title One\n.TITLE Two words\n.op\n.end\n",
    ".end with a remark": f"t\n{BODY}.op\n.END ; bye\n",
    "quotes around words": "t\nv1 a 0 1\nr2 \"a\" 0 1k\n.op\n.end\n",
    "capitals": "T\nV1 A 0 1\nR1 A B 1K\nR2 B 0 1MEG\n.OP\n.END\n",
    "umlauts in names": "t\nv1 \u00e4 0 1\nr\u00fc \u00e4 0 1k\n.op\n.end\n",
}
LOUD = {  # ngspice fails, loses a card, or would read something else than what stands there
    "semicolon before a continuation": "t\nv1 a 0 1\nr1 a 0\n; remark\n+ 1k\n.op\n.end\n",
    "title that ends in two backslashes": f"t \\\\\n{BODY}.op\n.end\n",
    "continuation of the title": f"t\n+ more\n{BODY}.op\n.end\n",
    "no-break space": f"t\n{BODY}r2\u00a0a 0 1k\n.op\n.end\n",
    "carriage return inside a line": f"t\n{BODY}r2 a\rb 0 1k\n.op\n.end\n",
    "one backslash": "t\nv1 a 0 1\nr1 a 0 1k \\\n.op\n.end\n",
    "Greek mu": f"t\n{BODY}c1 a 0 1\u03bcF\n.op\n.end\n",
    "broken UTF-8": f"t\n{BODY}r2 a 0 1\udcff\n.op\n.end\n",
    ".end with a remark and cards behind": f"t\n{BODY}.op\n.end;x\nr2 a 0 1k\n",
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME.keys())
def test_read_as_ngspice_reads(text, tmp_path):
    deck = write(tmp_path / "place", {"d.cir": text})
    (got,), (expected,) = run(Job(deck=deck)).plots, plain(deck, tmp_path)
    assert (got.names, got.data.tolist()) == (expected.names, expected.data.tolist())


@pytest.mark.parametrize("text", LOUD.values(), ids=LOUD.keys())
def test_never_read_otherwise_in_silence(text, tmp_path):
    deck = write(tmp_path, {"d.cir": text})
    with pytest.raises(SimulationError, match=r"d\.cir|ignored"):
        run(Job(deck=deck))


def test_lines_and_words(tmp_path):
    text = "Title\n* remark\n R1  a\tb 1k ; remark\n+ tc=1 $ remark\n.include\t 'two  blanks.lib'\n.op\n"
    deck = write(tmp_path, {"d.cir": text})
    title, cards = read_cards(deck, is_deck=True)
    assert title == "Title"
    assert [(card.line, card.text) for card in cards] == [(3, "R1 a b 1k tc=1"), (5, ".include 'two  blanks.lib'"), (6, ".op")]
    assert cards[0].keyword == "r1"
