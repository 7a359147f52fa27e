"""The door: attacks stay outside, ordinary decks pass, and what is run is what was checked."""

import pytest

from circuits.engine.door.guard import check_deck
from circuits.errors import FailureKind, RejectedDeck

PLAIN = "title\nv1 in 0 1\nr1 in 0 1k\n{}\n.tran 1u 1m\n.end\n"


@pytest.fixture
def folder(tmp_path):
    """Writes files by name; returns the path of the first."""

    def write(**files):
        paths = []
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_cir", ".cir").replace("_lib", ".lib")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
            paths.append(path)
        return paths[0]

    return write


ATTACKS = {
    "control": ".control\nshell touch owned\n.endc",
    "indented upper case": "  \t.CONTROL\n SHELL touch owned\n .ENDC",
    "hidden behind a harmless command": ".control\nrun\nquit\nshell touch owned\n.endc",
    "redirection": ".control\necho x > ../owned\n.endc",
    "command by semicolon": ".control\nrun & shell\n.endc",
    "write outside": ".control\nwrite ../owned.raw\n.endc",
    "absolute write": ".control\nwrite /tmp/owned.raw\n.endc",
    "source": ".control\nsource other.cir\n.endc",
    "substitution": ".control\necho a$(id)\n.endc",
    "unfinished control": ".control\nrun",
    "code model": "codemodel owned.cm",
    "code model in control": ".control\ncodemodel owned.cm\n.endc",
    "osdi": ".control\npre_osdi owned.osdi\n.endc",
    "d_process": "a1 [in] clk null [out] proc\n.model proc d_process (process_file=owned)",
    "d_cosim model alone": ".model proc d_cosim (simulation=owned)",
    "model type continued": ".model proc\n+ d_process(x=1)",
    "osdi element": "n1 in 0 owned",
    "include above": ".include ../secret",
    "include above, continued": ".include\n+ ../secret",
    "include above, upper case": " .INCLUDE ../secret",
    "include absolute": ".include /etc/passwd",
    "include home": ".include ~/.profile",
    "include quoted": '.include "/etc/passwd"',
    "include through a folder": ".include sub/../../secret",
    "lib above": ".lib ../secret tt",
    "lib without section": ".lib other",
    "backtick": ".param x=`id`",
    "double quotes around a model type": '.model p "d_process"',
    "quotes in .csparam": ".csparam x='1'",
    "dollar in .csparam": ".csparam x={$HOME}",
    "backslash": "r2 in 0 1k \\\\",
    "file source": "v2 a 0 pwl file=/etc/passwd",
    "escape": "r2 in 0 1k\x1b[2J",
    "nul": "r2 in 0 1k\x00",
    "carriage return inside a line": "* harmless\r.include /etc/passwd\n",
    "invisible letter": "r2\u200b in 0 1k",
    "unknown card": ".step param x 1 2 1",
    "option that writes files": ".options ngdebug",
    "no such include": ".include none.lib",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_attack_is_refused_with_place_and_remedy(folder, attack):
    path = folder(deck_cir=PLAIN.format(attack))
    (path.parent.parent / "secret").write_text("r9 in 0 1\n")
    with pytest.raises(RejectedDeck) as refused:
        check_deck(path)
    assert refused.value.kind is FailureKind.REJECTED_INPUT
    assert refused.value.line >= 4
    assert f"{path}:{refused.value.line}: " in str(refused.value)


@pytest.mark.parametrize("title", ["*ng_script", "* NG_SCRIPT", ".include /etc/passwd", ".control", "+ x"])
def test_title_that_ngspice_would_execute(folder, title):
    with pytest.raises(RejectedDeck, match=r"deck\.cir:1: "):
        check_deck(folder(deck_cir=f"{title}\nv1 1 0 1\n.op\n.end\n"))


@pytest.mark.parametrize("inner", [".control\nshell touch owned\n.endc", ".control\nrun\n.endc", ".include ../secret",
                                   "n1 x y z", ".model p d_process"])
def test_includes_are_checked_too(folder, inner):
    path = folder(deck_cir=PLAIN.format(".include parts/a.lib"), parts__a_lib=f"* a\nr2 in 0 1\n{inner}\n")
    with pytest.raises(RejectedDeck, match=r"parts/a\.lib:3: "):
        check_deck(path)


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path):
    path = folder(sub__deck_cir=PLAIN.format(".include link.lib"), secret_lib="r2 in 0 1\n")
    (path.parent / "link.lib").symlink_to(tmp_path / "secret.lib")
    with pytest.raises(RejectedDeck, match="link out of"):
        check_deck(path)


def test_a_circle_of_includes_is_refused(folder):
    path = folder(deck_cir=PLAIN.format(".include a.lib"), a_lib=".include b.lib\n", b_lib=".include a.lib\n")
    with pytest.raises(RejectedDeck, match="circle"):
        check_deck(path)


def test_an_ambiguous_include_is_refused(folder):
    # ngspice 46 takes the deck's folder before the including file's.
    path = folder(deck_cir=PLAIN.format(".include sub/a.lib"), sub__a_lib=".include b.lib\n", sub__b_lib="r2 in 0 1\n",
                  b_lib="r3 in 0 1\n")
    with pytest.raises(RejectedDeck, match=r"could be b\.lib or sub/b\.lib"):
        check_deck(path)


def test_no_deck(tmp_path):
    with pytest.raises(RejectedDeck, match="no such deck"):
        check_deck(tmp_path / "none.cir")


def test_an_ordinary_deck_passes_and_is_written_anew(folder):
    text = """\
* it's a "title", with quotes
* comment with 'quotes', `backticks` and \u00b5S
*# shell touch owned

.include sub/a.lib   ; don't mind
.PARAM g={20e-6}
r1 in 0 {1/g}  $ ohm's
v1 in 0 pwl(0 0
* between
+ 1m {g*2}   ; V
+ )
b1 o 0 i={g}*tanh(v(in)) > 0 && 1 ? 1 : 0
.control
run
write deck.raw v(o) i(v1)
meas tran top max v(o)
set filetype=binary
print v(o)
echo done, 100 %
quit 0
.endc
.tran 1u 1m
.end
"""
    deck, part = check_deck(folder(deck_cir=text, sub__a_lib=".include b.lib\nr2 in 0 1\n", sub__b_lib="* b\n"))[:2]
    assert (deck.relative, part.relative) == ("deck.cir", "sub/a.lib")
    lines = deck.text().split("\n")
    assert lines[0] == '* it\'s a "title", with quotes'
    assert lines[4] == ".include sub/a.lib"
    assert lines[6] == "r1 in 0 {1/g}"
    assert lines[7] == "v1 in 0 pwl(0 0 1m {g*2} )"
    assert lines[21] == ".tran 1u 1m"
    assert part.text().startswith(".include sub/b.lib\n")  # below the deck's folder, where ngspice looks first
    for word in ("shell", "owned", "control", "quit", "'"):
        assert all(word not in line for line in lines[1:])
    assert [card.text for card in deck.control][2] == "meas tran top max v(o)"
