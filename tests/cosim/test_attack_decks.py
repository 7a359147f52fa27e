"""Strangers' decks through the real `cosim simulate`: every way in is closed, and nothing of an attack is executed.

Each payload makes a file. ``test_the_payloads_are_live`` shows that ngspice itself, run on the same files, does make it.
"""

import os
import subprocess

import pytest

from circuits.engine.ngspice import find_engine

BODY = "v1 in 0 1\nr1 in 0 1k\n.tran 1u 1m\n.save v(in)\n"
SHELL = "shell touch canary"
BLOCK = f".control\n{SHELL}\n.endc\n"
PROGRAM = "#!/bin/sh\ntouch canary\n"


def deck(inside, title="stranger"):
    return f"{title}\n{BODY}{inside}\n.end\n"


LIVE = {  # what ngspice -b executes when it is given the deck; measured with ngspice 46
    ".control": ("evil.cir:7", {"evil.cir": deck(BLOCK)}),
    "indented": ("evil.cir:7", {"evil.cir": deck(f"\t  .control\n   {SHELL}\n  .endc")}),
    "upper case": ("evil.cir:7", {"evil.cir": deck(".CONTROL\nSHELL touch canary\n.ENDC")}),
    "longer word": ("evil.cir:6", {"evil.cir": deck(f".controlled\n{SHELL}\n.endc")}),
    "in an include": ("part.inc:2", {"evil.cir": deck(".include part.inc"), "part.inc": f"* part\n{BLOCK}"}),
    "in a .lib": ("part.lib:3", {"evil.cir": deck(".lib part.lib tt"), "part.lib": f"* part\n.lib tt\n{BLOCK}.endl tt\n"}),
    "in an include of an include": ("b.inc:1", {"evil.cir": deck(".include a.inc"), "a.inc": ".include b.inc\n",
                                                "b.inc": BLOCK}),
    "in backticks": ("evil.cir:7", {"evil.cir": deck(".control\necho `touch canary`\n.endc")}),
    "after a harmless block": ("evil.cir:10", {"evil.cir": deck(f".control\nrun\n.endc\n{BLOCK}")}),
    "after .csparam and .func": ("evil.cir:9", {"evil.cir": deck(f".csparam x={{1}}\n.func f(a) {{a}}\n{BLOCK}")}),
    "behind a backslash": ("evil.cir:8", {"evil.cir": deck(f"* harmless \\\\\n{BLOCK}")}),
    "behind a very long line": ("evil.cir:8", {"evil.cir": deck(f"* {'x' * 300_000}\n{BLOCK}")}),
    "*ng_script title": ("evil.cir:1", {"evil.cir": f"*ng_script\n{SHELL}\n"}),
    "after .end": ("evil.cir:9", {"evil.cir": deck("") + BLOCK}),
    "behind a title that is too long": ("evil.cir:1", {"evil.cir": f"{'x' * 4999}.control\n{SHELL}\n.endc\n{BODY}.end\n"}),
    "in a quoted include": ("a part.inc:1", {"evil.cir": deck('.include "a part.inc"'), "a part.inc": BLOCK}),
    "in an include of the first line": ("part.inc:1", {"evil.cir": f".include part.inc\n{BODY}.end\n", "part.inc": BLOCK}),
    "in the include of a library": ("b.inc:1", {"evil.cir": deck(".lib 'part.lib' tt"),
                                                "part.lib": "* part\n.lib tt\n.include 'b.inc'\n.endl tt\n", "b.inc": BLOCK}),
}
DEAD = {  # needs a compiled file, ngspice's own code models, or nothing but a mistake of the door
    "d_process": ("evil.cir:7", {"evil.cir": deck('a1 [in] clk null [o] p\n.model p d_process (process_file="evil.sh")'),
                                 "evil.sh": PROGRAM}),
    "d_process without quotes": ("evil.cir:6", {"evil.cir": deck(".model p d_process (process_file=evil.sh)"),
                                                "evil.sh": PROGRAM}),
    "d_cosim": ("evil.cir:7", {"evil.cir": deck("a1 [in] [o] p\n.model p d_cosim (simulation=evil.so)")}),
    "d_cosim model": ("evil.cir:6", {"evil.cir": deck(".model p d_cosim (simulation=evil.so)")}),
    "codemodel": ("evil.cir:6", {"evil.cir": deck("codemodel evil.cm")}),
    "codemodel in a block": ("evil.cir:7", {"evil.cir": deck(".control\ncodemodel evil.cm\n.endc")}),
    "pre_codemodel": ("evil.cir:7", {"evil.cir": deck(".control\npre_codemodel evil.cm\n.endc")}),
    "pre_osdi": ("evil.cir:7", {"evil.cir": deck(".control\npre_osdi evil.osdi\n.endc")}),
    "pre_ outside a block": ("evil.cir:6", {"evil.cir": deck("pre_osdi evil.osdi")}),
    "pre_ and any command": ("evil.cir:7", {"evil.cir": deck(f".control\npre_{SHELL}\n.endc")}),
    "include outside": ("evil.cir:6", {"evil.cir": deck(".include ../outside.inc")}),
    "include outside, absolute": ("evil.cir:6", {"evil.cir": deck(".include /etc/hostname")}),
    "include outside, by symlink": ("evil.cir:6", {"evil.cir": deck(".include link.inc")}),
    "include outside, through a linked folder": ("evil.cir:6", {"evil.cir": deck(".include linked/outside.inc")}),
    "library outside": ("evil.cir:6", {"evil.cir": deck(".lib ../outside.inc tt")}),
    "library outside, in a section": ("part.lib:2", {"evil.cir": deck(".lib part.lib tt"),
                                                     "part.lib": ".lib tt\n.include ../outside.inc\n.endl\n"}),
    ".csparam with a command": ("evil.cir:6", {"evil.cir": deck(".csparam x=`touch canary`")}),
    ".func with a command": ("evil.cir:6", {"evil.cir": deck(".func f(a) {$(touch canary)}")}),
    "backslash continuation": ("evil.cir:7", {"evil.cir": deck(f"r2 in 0 1k \\\\\n{BLOCK}")}),
    "continued word": ("evil.cir:6", {"evil.cir": deck(f".con\n+ trol\n{SHELL}\n.endc")}),
    "carriage return for a line break": ("evil.cir:6", {"evil.cir": deck("* harmless\r.control\r" + SHELL + "\r.endc")}),
    "line break in a name": ("evil.cir:6", {"evil.cir": deck("r\x0b.control 0 1")}),
    "line break in the title": ("evil.cir:1", {"evil.cir": deck("", title=f"stranger\r.control\r{SHELL}\r.endc")}),
    "card for a title": ("evil.cir:1", {"evil.cir": deck("", title=".control")}),
    "a file read by a source": ("evil.cir:6", {"evil.cir": deck("v2 a 0 pwl file=/etc/hostname")}),
    "d_process behind an equals sign": ("evil.cir:6", {"evil.cir": deck(".model p=d_process gain(gain=1)")}),
    "d_process behind a comma": ("evil.cir:6", {"evil.cir": deck(".model p,d_process gain(gain=1)")}),
    "d_process in quotes": ("evil.cir:6", {"evil.cir": deck('.model p "d_process" (x=1)')}),
    "d_process behind a quoted name": ("evil.cir:6", {"evil.cir": deck('.model "p d_process" gain(gain=1)')}),
    "d_process in capitals": ("evil.cir:6", {"evil.cir": deck(".MODEL P D_PROCESS(x=1)")}),
    "d_process as an ako": ("evil.cir:6", {"evil.cir": deck(".model q ako:p d_process(x=1)")}),
    "d_process by a string parameter": ("evil.cir:7", {"evil.cir": deck('.param t="d_process"\n.model p {t}(x=1)')}),
    "d_process continued": ("evil.cir:6", {"evil.cir": deck(".model p\n+ d_process(x=1)")}),
    "d_process in a section that is not chosen": ("part.lib:2", {
        "evil.cir": deck(".lib part.lib ff"), "part.lib": ".lib tt\n.model p d_process(x=1)\n.endl\n.lib ff\n.endl\n"}),
    "d_source": ("evil.cir:6", {"evil.cir": deck('.model s d_source(input_file="outside.inc")')}),
    "d_state": ("evil.cir:6", {"evil.cir": deck('.model s d_state(state_file="outside.inc")')}),
    "filesource": ("evil.cir:6", {"evil.cir": deck('.model s filesource(file="/etc/hostname")')}),
    "table2d": ("evil.cir:6", {"evil.cir": deck('.model s table2d(offset=0 file = "/etc/hostname")')}),
    "a file in a code model that has none": ("evil.cir:6", {"evil.cir": deck('.model s gain(gain=1 file="/etc/hostname")')}),
    "a transfer function from a file": ("evil.cir:6", {"evil.cir": deck('.model s xfer(file="/etc/hostname")')}),
    "a file without an equals sign": ("evil.cir:6", {"evil.cir": deck('.model s xfer(file "/etc/hostname")')}),
    "numerical device": ("evil.cir:6", {"evil.cir": deck(".model s numd level=1")}),
    "ic.file": ("evil.cir:6", {"evil.cir": deck('d1 in 0 dd ic.file="/etc/hostname"')}),
    ".hdl": ("evil.cir:6", {"evil.cir": deck(".hdl evil.va")}),
    ".libsave": ("evil.cir:6", {"evil.cir": deck(".libsave part.lib tt"), "part.lib": ".lib tt\n.endl\n"}),
    "include outside, in double quotes": ("evil.cir:6", {"evil.cir": deck('.include "../outside.inc"')}),
    "include outside, in single quotes": ("evil.cir:6", {"evil.cir": deck(".inc '/etc/hostname'")}),
    "include outside, at home": ("evil.cir:6", {"evil.cir": deck('.include "~/.profile"')}),
    "include outside, on the first line": ("evil.cir:1", {"evil.cir": f".include ../outside.inc\n{BODY}.end\n"}),
    "library outside, in quotes": ("evil.cir:6", {"evil.cir": deck(".lib '../outside.inc' tt")}),
    "include of a folder": ("evil.cir:6", {"evil.cir": deck(".include .")}),
    "include of a device": ("evil.cir:6", {"evil.cir": deck(".include /dev/stdin")}),
    "write outside": ("evil.cir:7", {"evil.cir": deck(".control\nwrite ../canary v(in)\n.endc")}),
    "wrdata outside": ("evil.cir:7", {"evil.cir": deck(".control\nwrdata /tmp/canary v(in)\n.endc")}),
    "output redirected outside": ("evil.cir:7", {"evil.cir": deck(".control\nprint v(in) > ../canary\n.endc")}),
    "command substitution in an echo": ("evil.cir:7", {"evil.cir": deck(".control\necho $(touch canary)\n.endc")}),
    "backtick in a plot": ("evil.cir:7", {"evil.cir": deck(".control\nplot v(in) title `touch canary`\n.endc")}),
    "backtick in a parameter": ("evil.cir:6", {"evil.cir": deck(".param x='`touch canary`'")}),
    "command in a loop": ("evil.cir:8", {"evil.cir": deck(f".control\nrepeat 2\n{SHELL}\nend\n.endc")}),
    "cd": ("evil.cir:7", {"evil.cir": deck(".control\ncd /tmp\n.endc")}),
    "load": ("evil.cir:7", {"evil.cir": deck(".control\nload /etc/hostname\n.endc")}),
    "set sourcepath": ("evil.cir:7", {"evil.cir": deck(".control\nset sourcepath = ( /etc )\n.endc")}),
    "full-width letters": ("evil.cir:6", {"evil.cir": deck("\uff0econtrol")}),
    "micro sign in a card's name": ("evil.cir:6", {"evil.cir": deck(".incl\u00b5de ../outside.inc")}),
    "no-break space": ("evil.cir:6", {"evil.cir": deck(".include\u00a0../outside.inc")}),
    "line separator": ("evil.cir:6", {"evil.cir": deck("r2 in 0 1k\u2028.control")}),
    "right-to-left mark": ("evil.cir:6", {"evil.cir": deck("r2 in 0 \u202e1k")}),
    "a card behind two backslashes": ("evil.cir:7", {"evil.cir": deck("r2 in 0 1k \\\\\n.include ../outside.inc")}),
    "include with a name that is too long": ("evil.cir:6", {"evil.cir": deck(f".include {'x' * 5000}")}),
    "include of a variable": ("evil.cir:6", {"evil.cir": deck(".include $HOME/.profile")}),
    "library that chooses its own section for ever": ("part.lib:2", {
        "evil.cir": deck(".lib part.lib tt"), "part.lib": ".lib tt\n.lib part.lib TT\n.endl\n"}),
    "autostop": ("evil.cir:6", {"evil.cir": deck(".options post, autostop")}),
    "ngdebug": ("evil.cir:6", {"evil.cir": deck(".options ngdebug")}),
}
def titled(title):
    """A deck whose lines are commands, were its title not shown only; ngspice takes the ``.title`` card for nothing else."""
    return {"evil.cir": f"stranger\n{SHELL}\n{BODY}.title {title}\n.end\n"}


TITLES = {  # as a deck's first line each is obeyed by ngspice
    "script": "*ng_script", "script in capitals": "*NG_SCRIPT_WITH_PARAMS", "script behind blanks": "*  ng_script",
    "block": ".control", "command": f"*# {SHELL}", "include outside": ".include ../outside.inc",
    "include of a system file": ".include /etc/hostname", "library": ".lib ../outside.inc tt", "continuation": "+ x",
    "at sign": "@", "too long": f"{'x' * 4999}.control", "too long in letters of four bytes": "\U0001d53d" * 1249 + ".control",
    "backslash": "x \\", "long enough to overflow a buffer": "x" * 600,
}
HARMLESS = {  # may stand in a deck, and is not executed
    "*# command": {"evil.cir": deck(f"*# {SHELL}")},
    "command in a comment": {"evil.cir": deck(f"r2 in 0 1k ; {SHELL}\nr3 in 0 1k $ {SHELL}\n* .control")},
    ".spiceinit": {"evil.cir": deck(""), ".spiceinit": f"{SHELL}\n", "spice.rc": f"{SHELL}\n", "spinit": f"{SHELL}\n"},
    "section that is not chosen": {"evil.cir": deck(".lib part.lib ff"), "part.lib": ".lib ff\n.param x=1\n.endl\n"},
    "start-up file that is included": {
        "evil.cir": deck(".include .spiceinit\n.include spinit"), ".spiceinit": "r2 in 0 1k\n*# shell touch canary\n",
        "spinit": "r3 in 0 1k\n*# shell touch canary\n"},
    "output card that is redirected": {"evil.cir": deck(".print tran par('v(in)*2') > canary\n.plot tran v(in) >> canary")},
    "very long card": {"evil.cir": deck("v2 a 0 pwl(\n" + "\n".join(f"+ {k}u 0" for k in range(30_000)) + ")\nr2 a 0 1k")},
    "parameters and functions": {"evil.cir": deck(".csparam x={1}\n.func f(a) {a*x}\n.param x=2\nr2 in 0 {f(2)}")},
}


@pytest.fixture
def place(tmp_path):
    """Writes an attack's files; the deck's folder is one below, so that there is an outside."""
    (tmp_path / "deck").mkdir()
    (tmp_path / "outside.inc").write_text("r9 in 0 1k\n")
    (tmp_path / "deck" / "link.inc").symlink_to(tmp_path / "outside.inc")
    (tmp_path / "deck" / "linked").symlink_to(tmp_path)

    def write(files):
        for name, text in files.items():
            path = tmp_path / "deck" / name
            path.write_bytes(text.encode())
            path.chmod(0o755)
        return tmp_path / "deck"

    return write


def canaries(folder):
    return [path for path in folder.rglob("canary*") if not path.is_symlink()]


@pytest.mark.parametrize(("where", "files"), [*LIVE.values(), *DEAD.values()], ids=[*LIVE, *DEAD])
def test_an_attack_is_refused_before_anything_runs(warm_shell, place, where, files):
    folder = place(files)
    told = warm_shell.refuses("simulate", "deck/evil.cir", "--out", "waves", env={"TMPDIR": str(warm_shell.folder)})
    assert told.startswith("cosim: rejected_input: ")
    assert f"/{where}: " in told
    assert "; " in told or " (" in told  # how to mend it
    assert canaries(folder.parent) == []
    assert not list((folder.parent / "waves").glob("*"))


@pytest.mark.parametrize("files", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_may_stand_in_a_deck_is_not_executed(warm_shell, place, files):
    folder = place(files)
    out = warm_shell.succeeds("simulate", "deck/evil.cir", "--out", "waves",
                              env={"TMPDIR": str(warm_shell.folder), "HOME": str(folder), "SPICE_SCRIPTS": str(folder)})
    assert "waves/evil.parquet" in out
    assert canaries(folder.parent) == []


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_a_title_is_never_obeyed(warm_shell, place, title):
    folder = place(titled(title))
    told = warm_shell.refuses("simulate", "deck/evil.cir", "--out", "waves", env={"TMPDIR": str(warm_shell.folder)})
    assert f"{SHELL} /" in told or "rejected_input" in told  # an element whose model is missing
    assert "outside.inc" not in told
    assert canaries(folder.parent) == []
    (folder / "evil.cir").write_text((folder / "evil.cir").read_text().replace(f"\n{SHELL}\n", "\n", 1))
    warm_shell.succeeds("simulate", "deck/evil.cir", "--out", "waves")


@pytest.mark.parametrize("title", ["*ng_script", f"*NG_SCRIPT {SHELL}"])
def test_such_a_title_is_live_on_the_first_line(place, title):
    folder = place({"evil.cir": f"{title}\n{SHELL}\n"})
    subprocess.run([find_engine().path, "-n", "-b", "evil.cir"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                   timeout=60, check=False, env=os.environ | {"HOME": str(folder)})
    assert canaries(folder.parent) != []


@pytest.mark.parametrize("files", [*(files for _, files in LIVE.values()), HARMLESS["*# command"], HARMLESS[".spiceinit"]],
                         ids=[*LIVE, "*# command", ".spiceinit"])
def test_the_payloads_are_live(place, files):
    folder = place(files)
    subprocess.run([find_engine().path, "-b", "evil.cir"], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                   timeout=20, env=os.environ | {"HOME": str(folder)}, check=False)
    assert canaries(folder)


def test_a_command_beside_a_good_deck_runs_the_good_one_and_names_every_bad_one(warm_shell, place):
    folder = place({"a.cir": deck(BLOCK), "b.cir": deck(""), "c.cir": deck("codemodel evil.cm")})
    told = warm_shell.refuses("simulate", "deck", "--out", "waves")
    assert told.startswith("cosim: 2 decks failed")
    assert "a.cir:7: " in told
    assert "c.cir:6: " in told
    assert (warm_shell.folder / "waves" / "b.parquet").is_file()
    assert canaries(folder.parent) == []
