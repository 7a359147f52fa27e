"""`cosim inspect --loops`: extracted loops against the same loops broken in the whole board, the verdict, the messages."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from circuits.array.wires import Wires
from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.loops.bench import STAGES
from circuits.loops.board_loops import Levels, board_loops
from circuits.loops.gain import LoopGain, loop_gain
from circuits.loops.measure import measure_loops
from circuits.loops.probe import probed
from circuits.netlist.render import render_block
from cosim.behavioural.simulation import folder_key
from cosim.compiler.options import Options
from cosim.folder.manifest import read_manifest
from cosim.folder.read import read_board, read_programmed
from cosim.store.files import write_frame
from cosim.studies.hp_memristor.experiment import hp_experiment
from training.checkpoint import load
from training.experiments.hp_memristor import checkpoint_paths

KINDS = ("buffer", "inverter", "relu_tia", "tia", "integrator")
HEAVY = 1e-10  # F, a cell's wires: 3.2 nF a line


@pytest.fixture(scope="module")
def hp(tmp_path_factory):
    """The HP memristor's board and its sine, arrays reduced."""
    folder = tmp_path_factory.mktemp("hp")
    experiment = hp_experiment("current", load(checkpoint_paths("current")[0]).net)
    sine = tuple(case for case in experiment.cases if case.name == "sine")
    replace(experiment, cases=sine).compile(folder, Options(fidelity="macro"))
    return folder


def loop_in_place(hp, folder, *, stage, block, card, sums, sel, hold=""):
    """Loop gain of one stage inside the whole board, broken by the same double injection; and the operating point.

    Args:
        block: file of the subcircuit in which the stage stands; card: its instance there, with its path on the board.
        sums: the loop's summing node; sel: [V], 0 while the board pre-charges to 0.1 V.
    """
    probe, path = probed(STAGES[stage]()), f"xboard.{card}"
    for file in hp.rglob("*.[li][in][bc]"):
        target = folder / file.relative_to(hp)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.read_text())
    (folder / "blocks" / probe.block.file).write_text(render_block(probe.block))
    inside = folder / "blocks" / block
    text, found = re.subn(rf"^({card.split('.')[-1]} .*?) {stage}\b([^;\n]*)",
                          rf"\1 {stage}_probed\2 ac_v={{ac_v}} ac_i={{ac_i}} {hold} ", inside.read_text(), flags=re.MULTILINE)
    assert found == 1
    inside.write_text(text)
    deck = (hp / "sine.cir").read_text()
    deck = re.sub(r"^\.(save|meas|tran) .*\n|^\.control\n(.*\n)*?\.endc\n", "", deck, flags=re.MULTILINE)
    for source, volts in (("v_sel sel", sel), ("v_ic0 ic0", 0.1), ("v_u0 u0", 0.1)):
        deck, found = re.subn(rf"^{source} 0 .*$", f"{source} 0 dc {volts}", deck, flags=re.MULTILINE)
        assert found == 1
    deck = deck.replace(".include blocks/clamp.inc\n", f".include blocks/clamp.inc\n.include blocks/{probe.block.file}\n")
    vectors = (f"v({path}.inn)", f"v({sums})", f"i(v.{path}.v_inj)", "v(xboard.h2_0_n)")
    plots = {}
    for letter in "vi":
        ending = [f".param ac_v={int(letter == 'v')} ac_i={int(letter == 'i')}", *(f".save {one}" for one in vectors), ".op",
                  ".ac dec 40 1 1e8", ".end", ""]
        (folder / f"{letter}.cir").write_text(deck.replace(".end\n", "\n".join(ending)))
        plots[letter] = run(Job(deck=folder / f"{letter}.cir", timeout=60)).plots
    (v,), (i,) = ([plot for plot in plots[letter] if plot.scale_name == "frequency"] for letter in "vi")
    (op,) = [plot for plot in plots["v"] if plot is not v]
    return LoopGain(frequency=v.scale, value=loop_gain(v[vectors[1]], v[vectors[0]], i[vectors[2]])), op


def extracted(hp, name, state, level):
    """The same loop from its bench, at ``level`` [V]."""
    manifest = read_manifest(hp)
    board = read_board(manifest)
    loops = board_loops(board, read_programmed(manifest, board), Levels(line=level, derivative=level, bias=0.2))
    findings = measure_loops([one for one in loops if one.name == name])
    return next(one.measured.gain for one in findings if one.state == state)


def test_a_neuron_alone_has_the_margin_that_it_has_on_the_board(hp, tmp_path):
    whole, op = loop_in_place(hp, tmp_path, stage="relu_tia", block="layer_hidden_2.inc", card="xhidden_2.xneuron0",
                              sums="xboard.xhidden_2.sl0", sel=0.0)
    level = -float(op["v(xboard.h2_0_n)"][0].real)
    assert level > 0.05  # V: the neuron is on
    alone = extracted(hp, "hidden_2 relu_tia 0", "on, 100%", level)
    assert_allclose(alone.margin, whole.margin, atol=1.0)  # deg; the lines' other ends are not held quite as hard on the board
    assert_allclose(alone.crossover, whole.crossover, rtol=0.01)


@pytest.mark.parametrize(("state", "sel"), [("integration", 2.5), ("pre-charge", 0.0)])
def test_an_integrator_alone_has_the_margin_that_it_has_on_the_board(hp, tmp_path, state, sel):
    whole, _ = loop_in_place(hp, tmp_path, stage="ivp_integrator", block="board.inc", card="xint0", sums="xboard.xint0.sum",
                             sel=sel, hold="v_hold=0.1")
    alone = extracted(hp, "states integrator 0", state, 0.1)
    assert_allclose(alone.margin, whole.margin, atol=0.5)  # deg
    assert_allclose(alone.crossover, whole.crossover, rtol=0.005)


def rows(told):
    """Cells of the printed tables, by their first one or two."""
    cells = [[cell.strip() for cell in line.strip("│ ").split("│")] for line in told.splitlines() if line.startswith("│")]
    return {(row[0], row[1]): row[2:] for row in cells}


def test_the_hp_board_is_stable_and_documented(warm_shell, hp, pytestconfig):
    told = warm_shell.succeeds("inspect", hp, "--loops")
    table = rows(told)
    margins = {kind: float(cells[0]) for (kind, _), cells in table.items() if kind in KINDS}
    counts = {kind: int(count) for kind, count in table if kind in margins}
    assert counts == {"buffer": 3, "inverter": 31, "relu_tia": 28, "tia": 1, "integrator": 1}  # every op-amp: 64
    # by hand: the integrator is a unity-gain buffer (60 deg at 20 pF) with some 50 pF of switches and its own input divider;
    # a TIA of noise gain 18 crosses far below the op-amp's second pole
    assert 50 < margins["integrator"] < 60 < 85 < margins["tia"]
    page = (pytestconfig.rootpath / "docs" / "results" / "hp-loops.md").read_text()
    documented = {kind: float(margin) for kind, margin in re.findall(r"^\| (\w+) \| \d+ \| ([\d.]+) \|", page, re.MULTILINE)}
    assert documented == margins
    assert "signals: the torch solution" in told
    assert "worst: states integrator 0 (integration)" in told


def two_poles(unity, pole):
    """Crossover [Hz] and margin [deg] of unity / (j f) with one more pole."""
    x = np.sqrt((np.sqrt(1 + 4 * (unity / pole) ** 2) - 1) / 2)
    return x * pole, 90 - np.degrees(np.arctan(x))


def test_heavy_wires_are_refused_by_name(warm_shell, small_experiment, tmp_path):
    """3.2 nF a line: 105 times the TIA's noise gain saves the output; the buffer's clamp and its line bring it to 10 deg."""
    folder = tmp_path / "decks"
    small_experiment.compile(folder, Options(fidelity="macro", wires=Wires(capacitance=HEAVY)))
    manifest = read_manifest(folder)
    board = read_board(manifest)
    cells = [1 / (1 / layer[0] + board.layers[0].transistor.on_resistance()) for layer in read_programmed(manifest, board)]
    # TIA: beta = 1 / (1 + r_f G), its pole where the line meets G and 1/r_f; Z_o, 500 ohm at 0.1 mA, works into r_f
    r_f, g = board.layers[-1].r_f, cells[-1][0].sum()
    tia = two_poles(1.1e6 / (1 + r_f * g) * r_f / (r_f + 500), (g + 1 / r_f) / (2 * np.pi * 32 * HEAVY))
    # buffer of x0, bit line 2: Z_o and the clamp's 1 kohm into the line, its five cells in use and the inverter's 10 kohm
    line, source = 1 / (cells[0][:5, 2].sum() + 1e-4), 1500.0
    buffer = two_poles(1.1e6 * line / (line + source), (1 / line + 1 / source) / (2 * np.pi * 32 * HEAVY))
    code, told, message = warm_shell.run("inspect", folder, "--loops", "--all")
    assert code == 1
    for name, (crossover, margin) in (("output tia 0", tia), ("states buffer 0", buffer)):
        row = rows(told)[name, "signal"]
        assert_allclose(float(row[1]), crossover / 1e3, rtol=0.06)  # kHz
        assert_allclose(float(row[2]), margin, atol=4.0)  # deg; junctions and the op-amp's second pole are left out
    assert re.search(r"states buffer 0 \(signal\) \d", message) and "output tia" not in message
    assert "under 45°" in message and "mend with" in message
    assert message.count("cosim: ") == 1 and "Traceback" not in message


def test_clamp_hits_come_from_the_waveforms(warm_shell, small_experiment, tmp_path):
    small_experiment.compile(tmp_path / "decks", Options(fidelity="macro"))
    frame = pd.DataFrame({"time": [0.0, 0.01, 0.02], "v(u0)": [0.0, 0.1, 0.0], "v(x0_p)": [0.1, 0.5, 0.2],
                          "v(xboard.h1_3_p)": [0.0, 0.3, 0.0], "v(xboard.d0)": [0.0, 0.1, 0.2]})
    write_frame(tmp_path / "waves" / "sine.parquet", frame, folder_key(tmp_path / "decks"))
    told = warm_shell.succeeds("inspect", "decks", "--loops", "--all", "--waveforms", "waves")
    assert "sine: state 0 reached 0.500 V, first past its limit at 0.01 s" in " ".join(told.split())
    assert rows(told)["hidden_1 inverter 3", "on"][6:8] == ["300.0", "150"]  # mV, and what is left of 450
    assert "sine.parquet" in warm_shell.refuses("inspect", "decks", "--loops", "--waveforms", tmp_path)


def test_what_has_no_loops_is_refused(warm_shell, tmp_path, hp):
    assert "not a folder" in warm_shell.refuses("inspect", hp / "sine.cir", "--loops")
    assert "make the folder with `cosim compile`" in warm_shell.refuses("inspect", tmp_path, "--loops")
    assert "belong to --loops" in warm_shell.refuses("inspect", hp, "--all")


def test_a_missing_array_is_named(warm_shell, hp, tmp_path):
    for file in hp.rglob("*"):
        if file.is_file() and file.name != "output.inc":
            target = tmp_path / "decks" / file.relative_to(hp)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    assert "output.inc does not exist; compile the twin again" in warm_shell.refuses("inspect", "decks", "--loops")
