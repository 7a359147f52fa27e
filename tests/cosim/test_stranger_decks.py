"""Strangers' decks through the real command: what is told, what is kept, what is refused and how fast."""

import os
import re
import signal
import time
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from circuits.engine.door.guard import check_deck
from circuits.engine.door.opening import open_deck
from circuits.engine.rawfile import read_raw
from circuits.errors import RejectedDeck

RC = "v1 a 0 dc 1 ac 1 pulse(0 1 0 1n 1n 1m 2m)\nr1 a b 1k\nc1 b 0 1u\n"


@pytest.fixture
def write(warm_shell):
    """Writes a file into the shell's folder."""

    def to(name, text):
        path = warm_shell.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return to


def stored(shell, name="d"):
    return pd.read_parquet(shell.folder / "waves" / f"{name}.parquet")


def test_output_cards_and_options_are_left_out_with_a_note(warm_shell, write):
    write("d.cir", f"t\n{RC}.options post=2, reltol=1e-4\n.print tran v(b)\n.plot tran v(b)\n.print tran v(a)\n"
                   ".tran 10u 1m\n.end\n")
    out = warm_shell.succeeds("simulate", "d.cir", "--out", "waves")
    assert "note: d.cir:6: .print left out; the waveforms are stored whole (and 1 more lines)" in out
    assert "note: d.cir:7: .plot left out" in out
    assert "note: d.cir:5: option post left out; ngspice has none of that name" in out
    assert len(stored(warm_shell).attrs["notes"]) == 3


def test_cards_behind_end_count_as_in_ngspice(warm_shell, write):
    write("d.cir", "t\nv1 a 0 1\nr1 a b 1k\nr2 b 0 1k\n.op\n.end\nr3 b 0 1k\n")
    warm_shell.succeeds("simulate", "d.cir", "--out", "waves")
    assert stored(warm_shell)["v(b)"].iloc[0] == pytest.approx(1 / 3, rel=1e-6)  # V, 1k over 500 ohm


def test_a_complex_pair_of_poles_stays_one(warm_shell, write):
    write("d.cir", "t\nv1 a 0 dc 0 ac 1\nr1 a b 10\nl1 b c 1m\nc1 c 0 1u\n.pz a 0 c 0 vol pz\n.end\n")
    out = warm_shell.succeeds("simulate", "d.cir", "--out", "waves")
    pole = -5000 + 1j * np.sqrt(1e9 - 5000**2)  # rad/s, -R/2L and the square root of 1/LC less its square
    assert f"= {pole.real:.6g} {pole.imag:+.6g}j rad/s" in out
    assert f"= {pole.real:.6g} {-pole.imag:+.6g}j rad/s" in out
    assert sorted(stored(warm_shell).filter(like="imag").iloc[0]) == pytest.approx([-pole.imag, pole.imag], rel=1e-6)


def test_ac_has_decibels_phase_and_units(warm_shell, write):
    write("d.cir", f"t\n{RC}.ac dec 5 10 10k\n.end\n")
    warm_shell.succeeds("simulate", "d.cir", "--out", "waves", "--csv")
    frame = stored(warm_shell)
    expected = 1 / (1 + 2j * np.pi * frame["frequency"] * 1e-3)
    np.testing.assert_allclose(frame["db(v(b))"], 20 * np.log10(np.abs(expected)), rtol=0, atol=1e-6)  # dB
    np.testing.assert_allclose(frame["phase(v(b))"], np.degrees(np.angle(expected)), rtol=0, atol=1e-5)  # degrees
    units = frame.attrs["units"]
    assert [units[name] for name in ("frequency", "real(v(b))", "db(v(b))", "phase(v(b))", "imag(i(v1))")] == [
        "Hz", "V", "dB", "deg", "A"]
    csv = pd.read_csv(warm_shell.folder / "waves" / "d.csv")
    assert (csv["db(v(b)) [dB]"] == frame["db(v(b))"]).all()


def test_every_plot_is_kept_and_one_is_chosen_by_name(warm_shell, write):
    write("d.cir", f"t\n{RC}.op\n.ac lin 3 1k 3k\n.tran 10u 1m\n.tran 10u 2m\n.tf v(b) v1\n.end\n")
    out = warm_shell.succeeds("simulate", "d.cir", "--out", "waves", "--csv", "--raw")
    assert "5 plots in waves/d.plots: ac, op, tf, tran1, tran2; d.parquet holds tran1" in out
    assert "tf: v(transfer_function) = 1\n" in out
    assert re.search(r"tf: v\(v1#input_impedance\) = \S+ ohm\n", out)
    assert stored(warm_shell)["time"].iloc[-1] == pytest.approx(1e-3)
    assert stored(warm_shell, "d.plots/tran2")["time"].iloc[-1] == pytest.approx(2e-3)
    assert stored(warm_shell, "d.plots/tran2").attrs["card"] == ".tran 10u 2m"
    assert (warm_shell.folder / "waves" / "d.plots" / "ac.csv").is_file()
    assert len(read_raw(warm_shell.folder / "waves" / "d.raw")) == 5
    out = warm_shell.succeeds("simulate", "d.cir", "--out", "waves", "--plot", "ac")
    assert "(done before)" in out
    assert list(stored(warm_shell)["frequency"]) == [1e3, 2e3, 3e3]
    assert "has no plot 'dc'; it has" in warm_shell.refuses("simulate", "d.cir", "--out", "waves", "--plot", "dc")
    write("d.cir", f"t\n{RC}.tran 10u 1m\n.end\n")  # a deck with one plot now
    warm_shell.succeeds("simulate", "d.cir", "--out", "waves")
    assert not (warm_shell.folder / "waves" / "d.raw").exists()
    assert not list((warm_shell.folder / "waves").glob("d.plots/*.parquet"))


def test_a_fourier_card_gives_its_table(warm_shell, write):
    # A square wave of +-1 has 4 / (pi n) in its odd harmonics and nothing in the others.
    write("d.cir", "t\nv1 a 0 pulse(-1 1 0 1n 1n 0.5m 1m)\nr1 a 0 1k\n.tran 1u 4m 0 1u\n.four 1k v(a)\n.end\n")
    out = warm_shell.succeeds("simulate", "d.cir", "--out", "waves")
    table = stored(warm_shell, "d.plots/four")
    assert list(table["frequency"]) == [1000.0 * harmonic for harmonic in range(10)]
    np.testing.assert_allclose(table["magnitude(v(a))"][[1, 3, 5]], 4 / np.pi / np.array([1, 3, 5]), rtol=2e-2)  # 200 points
    np.testing.assert_allclose(table["magnitude(v(a))"][[2, 4, 6]], 0, atol=2e-2)
    assert "four: v(a): total harmonic distortion 4" in out
    assert "four: harmonic 3, frequency 3000 Hz, magnitude(v(a)) 0.42" in out


def test_an_absolute_name_and_an_expression_in_a_measure(warm_shell, write):
    write("parts.lib", ".model dd d(is=1e-14)\n")
    write("d.cir", f"t\n.include {warm_shell.folder / 'parts.lib'}\nv1 a 0 sin(0 1 1k)\nr1 a 0 1k\nr2 a b 1k\nd1 b 0 dd\n"
                   ".tran 1u 1m\n.meas tran pk max par('v(a)*2')\n.meas tran lim param='pk/4'\n.end\n")
    out = warm_shell.succeeds("simulate", "d.cir", "--out", "waves")
    assert re.search(r"  pk = 2\n  lim = 0\.(5|49999\d)\n", out)  # V, twice the amplitude and half of it


def test_what_ngspice_cannot_read_either_is_told_with_its_line(warm_shell, write):
    write("bom.lib", "\ufeff* a byte order mark\n.model dd d\n")
    write("parts.lib", ".model dd d\n")
    write("d.cir", "t\nv1 a 0 1\n.include bom.lib\n.lib parts.lib\n.save i(r1)\n.op\n.end\n")
    told = warm_shell.refuses("simulate", "d.cir", "--out", "waves")
    assert "bom.lib:1: U+FEFF is a byte order mark; save the file without one" in told
    assert "d.cir:4: .lib without a section is LTspice's" in told
    write("d.cir", "t\nv1 a 0 1\nr1 a 0 1k\n.save v(a) i(R1)\n.op\n.end\n")
    assert "write @r1[i] for the current of a part" in warm_shell.refuses("simulate", "d.cir", "--out", "waves")


def test_warnings_of_ngspice_are_shown_and_counted(warm_shell, write):
    write("d.cir", "t\nv1 a 0 1\nr1 a b 1k\nd1 b 0 dd\n.model dd d(is=1e-14 iave=30m)\n.ic v(bb)=0.5\n.tran 10u 1m\n.end\n")
    out = warm_shell.succeeds("simulate", "d.cir", "--out", "waves")
    assert "ngspice warned 2 times:" in out
    assert "non-existent node - bb" in out
    assert "unrecognized parameter (iave) - ignored" in out
    assert len(stored(warm_shell).attrs["warnings"]) == 2


def test_a_control_block_of_analyses_is_told_its_cards(warm_shell, write):
    write("d.cir", f"t\n{RC}.control\ntran 1u 1m\nac dec 5 1 1k\nalter r1 2k\nplot v(b)\n.endc\n.end\n")
    told = warm_shell.refuses("simulate", "d.cir", "--out", "waves")
    assert "d.cir:6: command tran in .control is refused, the block is never run; write the card '.tran 1u 1m' outside" in told
    assert "d.cir:7: command ac " in told
    assert "'.ac dec 5 1 1k'" in told
    assert "d.cir:8: command alter in .control is refused" in told
    assert "plot v(b)" not in told


def test_all_complaints_come_at_once_and_name_their_lines(warm_shell, write):
    write("d.cir", "t\nv1 a 0 1\nr1 a 0 `id`\n.include gone.lib\n.lib parts.lib\n.include bom.lib\n.step param x 1 2 1\n"
                   ".op\n.end\n")
    write("bom.lib", "\ufeff* a byte order mark\n.model dd d\n")
    told = warm_shell.refuses("simulate", "d.cir", "--out", "waves")
    for place, says in (("d.cir:3", "'`' is refused"), ("d.cir:4", "'gone.lib' is not a file"),
                        ("d.cir:5", ".lib without a section is LTspice's; for ngspice write .include parts.lib"),
                        ("bom.lib:1", "U+FEFF is a byte order mark"), ("d.cir:7", "ngspice has no .step")):
        assert f"{place}: " in told
        assert says in told


def test_a_failed_measure_on_any_analysis_is_exit_code_1(warm_shell, write):
    write("d.cir", f"t\n{RC}.op\n.meas op x find v(b)\n.meas tran y max v(b)\n.measure z trig v(a) val=1\n.end\n")
    told = warm_shell.refuses("simulate", "d.cir", "--out", "waves")
    assert "3 measures failed: d.cir: x (ngspice has no measures for analysis 'op'" in told
    assert "d.cir: y (it is for analysis 'tran', the deck runs op" in told
    assert "d.cir: z (it names no analysis" in told
    assert stored(warm_shell)["v(b)"].iloc[0] == 1  # V, kept all the same


def test_decks_of_one_stem_share_no_result(warm_shell, write):
    for name, value in (("a.cir", 1), ("a.sp", 2), ("a.net", 3), ("a.sp.cir", 4), ("A.CIR", 5)):
        write(f"decks/{name}", f"t\nv1 a 0 {value}\nr1 a 0 1k\n.op\n.end\n")
    write("decks/part.ckt", "r2 a 0 1k\n")
    write("decks/user.cki", "t\nv1 a 0 6\n.include part.ckt\n.op\n.end\n")  # so part.ckt is no deck
    warm_shell.succeeds("simulate", "decks", "--out", "waves")
    found = {path.stem: pd.read_parquet(path)["v(a)"].iloc[0] for path in (warm_shell.folder / "waves").glob("*.parquet")}
    assert found == {"a": 1, "a.sp": 2, "a.net": 3, "a.sp.cir": 4, "A.CIR": 5, "user.cki": 6}


@pytest.mark.parametrize("letter", ["\x1b[2J", "\u009b2J", "\u202e"], ids=["ESC", "CSI", "right to left"])
def test_no_letter_that_a_terminal_obeys_is_printed(warm_shell, write, letter):
    write(f"d{letter}.cir", f"t\nv1 a 0 1\nr1 a 0 1k\n.op\n.meas op x{letter} find v(a)\n.include {letter}.lib\n.end\n")
    write(f"e{letter}.cir", f"t {'' if letter[0] == chr(27) else letter}\nv1 a 0 1\nr1 a 0 1k\n.op\n.end\n")
    code, out, err = warm_shell.run("simulate", f"d{letter}.cir", "--out", "waves")
    assert code == 1
    assert "rejected_input" in err
    assert letter[0] not in out + err
    code, out, err = warm_shell.run("simulate", f"e{letter}.cir", "--out", "waves")
    assert code == 0, err
    assert letter[0] not in out + err


def test_a_linked_deck_stays_in_its_own_folder(warm_shell, write):
    write("other/real.cir", "t\nv1 a 0 1\n.include r.inc\n.op\n.end\n")
    write("other/r.inc", "r1 a 0 1k\n")
    (warm_shell.folder / "here").mkdir()
    (warm_shell.folder / "here" / "d.cir").symlink_to("../other/real.cir")
    assert "is a link out of its folder" in warm_shell.refuses("simulate", "here/d.cir", "--out", "waves")
    (warm_shell.folder / "other" / "d.cir").symlink_to("real.cir")
    warm_shell.succeeds("simulate", "other/d.cir", "--out", "waves")


def bomb(folder):
    for level in range(10):
        (folder / f"i{level}").write_text(f".include i{level + 1}\n" * 10)
    (folder / "i10").write_text(".param z=1\n")
    return "t\nv1 a 0 1\n.include i0\n.op\n.end\n", "more than 256 MiB"


def nested(folder):
    for level in range(1200):
        (folder / f"i{level}").write_text(f".include i{level + 1}\n")
    (folder / "i1200").write_text("r1 a 0 1k\n")
    return "t\nv1 a 0 1\n.include i0\n.op\n.end\n", "more than 40 deep"


def large(folder):
    with (folder / "big.inc").open("wb") as file:
        file.truncate(191 * 2**20)
    return "t\nv1 a 0 1\n.include big.inc\n.op\n.end\n", "64 MiB"


def circle(folder):
    return "t\nv1 a 0 1\n.subckt s p\nx1 p s\n.ends\nx1 a s\n.op\n.end\n", "contains itself"


def multiplied(folder):
    cells = [f".subckt s{n} a\n" + "".join(f"x{k} a s{n + 1}\n" for k in range(10)) + ".ends\n" for n in range(12)]
    last = ".subckt s12 a\nr1 a 0 1k\n.ends\nx1 a s0\n.op\n.end\n"
    return f"t\nv1 a 0 1\n{''.join(cells)}{last}", "e+12 cards, more than 2e+07"


def stepwise(folder):
    nested(folder)
    deepest_first = "".join(f".include i{level}\n" for level in range(1170, -1, -30))
    return f"t\nv1 a 0 1\n{deepest_first}.op\n.end\n", "more than 40 deep"


def included_content(folder):
    (folder / "content").write_text("r1 a 0 1k\n" * 10_000)
    instances = "".join(f"x{k} a s\n" for k in range(4000))
    return f"t\nv1 a 0 1\n.subckt s a\n.include content\n.ends\n{instances}.op\n.end\n", "4e+07 cards, more than 2e+07"


def empty(folder):
    return multiplied(folder)[0].replace("r1 a 0 1k\n", ""), "e+12 cards, more than 2e+07"


def long_cards(folder):
    wave = " ".join(f"{k}u {k % 2}" for k in range(20_000))
    instances = "".join(f"x{k} a s\n" for k in range(20_000))
    return f"t\nv1 a 0 1\n.subckt s a\nv1 b a pwl({wave})\n.ends\n{instances}.op\n.end\n", "cards, more than 2e+07"


def deep_subcircuits(folder):
    cells = "".join(f".subckt s{n} a\nx1 a s{n + 1}\n.ends\n" for n in range(5000))
    return f"t\nv1 a 0 1\nr1 a 0 1\n{cells}.subckt s5000 a\n.ends\nx1 a s0\n.op\n.end\n", "more than 200 deep"


def section_of_itself(folder):
    (folder / "l.lib").write_text(".lib tt\n.lib 'l.lib' ff\n.endl\n.lib ff\n.lib l.lib TT\n.endl\n")
    return "t\nv1 a 0 1\n.lib l.lib tt\n.op\n.end\n", "l.lib includes itself"


def tiny_sections(folder):
    (folder / "l.lib").write_text(".lib tt\n.param p=1\n.endl\n.lib ff\n" + ".param q=1\n" * 200_000 + ".endl\n")
    return "t\nv1 a 0 1\n" + ".lib l.lib tt\n" * 3000 + ".end\n", "the deck has no analysis"


@pytest.mark.parametrize("make", [bomb, nested, stepwise, large, circle, multiplied, empty, included_content, long_cards,
                                  deep_subcircuits, section_of_itself, tiny_sections], ids=lambda make: make.__name__)
def test_size_and_depth_are_refused_at_once(warm_shell, write, make):
    text, says = make(warm_shell.folder)
    deck = write("d.cir", text)
    started = time.process_time()
    if make in (bomb, nested, stepwise, large, section_of_itself):
        with pytest.raises(RejectedDeck):
            check_deck(deck)
        assert time.process_time() - started < 1
    assert says in warm_shell.refuses("simulate", "d.cir", "--out", "waves")


@pytest.mark.parametrize("card", ["v2 a 0 pwl(file {}", ".model m d({}", ".options {}", ".meas tran {}", ".include {}",
                                  ".probe tran {}", "r2 a {} 1k"], ids=lambda card: card[:9])
@pytest.mark.parametrize("word", ["_", "file_", "\u00e4", "line ", "a.", "=", "par("])
def test_a_long_word_takes_no_time(write, card, word):
    deck = write("d.cir", f"t\nv1 a 0 1\n{card.format(word * 30_000)}\n.op\n.end\n")
    started = time.process_time()
    with suppress(RejectedDeck):
        open_deck(deck)
    assert time.process_time() - started < 1


def test_what_ngspice_says_of_a_long_card_takes_no_time(warm_shell, write):
    write("d.cir", f"t\nv1 a 0 1\nr1 a 0 1k\n.op\n.probe tran {'line ' * 60_000}\n.end\n")
    started = time.process_time()
    out = warm_shell.succeeds("simulate", "d.cir", "--out", "waves")
    assert time.process_time() - started < 2
    assert "Strange parameter in line" in out
    assert len(out) < 2000


def test_a_link_in_the_results_is_not_followed(warm_shell, write):
    kept = write("kept.parquet", "kept")
    (warm_shell.folder / "waves").mkdir()
    for name in (".d.raw.partial", "d.parquet", "d.raw"):
        (warm_shell.folder / "waves" / name).symlink_to(kept)
    write("d.cir", f"t\n{RC}.tran 10u 1m\n.end\n")
    warm_shell.succeeds("simulate", "d.cir", "--out", "waves", "--raw", "--force")
    assert kept.read_text() == "kept"
    (warm_shell.folder / "waves" / "d.plots").symlink_to("..")
    write("d.cir", f"t\n{RC}.tran 20u 1m\n.end\n")
    assert "d.plots is a link" in warm_shell.refuses("simulate", "d.cir", "--out", "waves")
    assert kept.read_text() == "kept"


def test_a_line_break_in_a_file_s_name_begins_no_line(warm_shell, write):
    for name, card in (("good", ".op"), ("bad", ".oops"), ("floating", ".op\nr2 b c 1k")):
        write(f"{name}\nforged.cir", f"t\nv1 a 0 1\nr1 a 0 1k\n{card}\n.end\n")
        _, out, err = warm_shell.run("simulate", f"{name}\nforged.cir", "--out", "waves")
        assert f"{name}\\nforged" in out + err
        assert not re.search("^forged", out + err, re.M)


def test_sigterm_while_a_deck_is_read_ends_the_command(shell):
    rows = "".join(f"r{k} a {k} 1k\n" for k in range(1_200_000))
    (shell.folder / "d.cir").write_text(f"t\nv1 a 0 1\n{rows}.op\n.end\n")
    with shell.start("simulate", "d.cir", "--out", "waves") as process:
        time.sleep(4)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert shell.one_message(process.returncode, out, err, code=143).startswith("cosim: terminated")


def test_the_folder_of_the_deck_is_not_written(warm_shell, write):
    write("place/d.cir", f"t\n{RC}.tran 10u 1m\n.print tran v(b)\n.control\nrun\nwrdata data.txt v(b)\nplot v(b)\n.endc\n"
                         ".end\n")
    warm_shell.succeeds("simulate", "place/d.cir", "--out", "waves", "--csv", "--raw")
    assert os.listdir(warm_shell.folder / "place") == ["d.cir"]
