"""Bad input through the real command: one message that says what, where and how to mend, and earlier results as they were."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from cosim.behavioural.simulation import folder_key
from cosim.store.files import read_frame, write_frame
from training.experiments.hp_memristor import checkpoint_paths

RC = "rc\nv1 in 0 pwl(0 0 1n 1)\nr1 in out 1k\nc1 out 0 1u\n.tran 10u 1m\n.save v(out)\n.end\n"
EXPERIMENT = """
import numpy as np
import torch
from torch import nn

from cosim.problem.case import Case
from cosim.experiment import Experiment
from cosim.compiler.scaling import Calibration
from training.stimuli import Sine


def experiment():
    torch.manual_seed(0)
    sine, width, hidden, amplitude, columns, cases = Sine(), 5, nn.ReLU(), 0.091, ("u0", "x0"), 1
    initial, states = (0.1,), np.linspace(-0.4, 0.4, 51)[:, None]
    CHANGE
    model = nn.Sequential(nn.Linear(2, width), hidden, nn.Linear(width, 1))
    with torch.no_grad():
        WEIGHTS
    t = np.linspace(0, 0.1, 51)
    calibration = Calibration(inputs=sine(t)[:, None], states=states)
    case = Case(name="sine", stimuli=(Sine(amplitude=amplitude),), initial=initial, duration=0.02, samples=21)
    return Experiment(subject="small", model=model, columns=columns, calibration=calibration, cases=(case,) * cases)
"""


def experiment_file(folder, change="", weights="pass"):
    path = folder / "mine.py"
    path.write_text(EXPERIMENT.replace("CHANGE", change).replace("WEIGHTS", weights))
    return path


@pytest.fixture(scope="module")
def compiled(tmp_path_factory, small_experiment):
    """A folder of decks as an earlier run left it; the tests take copies."""
    folder = tmp_path_factory.mktemp("earlier") / "decks"
    small_experiment.compile(folder)
    return folder


@pytest.fixture
def earlier(tmp_path, compiled, contents):
    """Earlier decks and an earlier waveform in the shell's folder; ends with the check that no byte of them changed."""
    shutil.copytree(compiled, tmp_path / "decks")
    (tmp_path / "waves").mkdir()
    (tmp_path / "waves" / "rc.parquet").write_bytes(b"an earlier result")
    before = {name: contents(tmp_path / name) for name in ("decks", "waves")}
    yield before
    assert {name: contents(tmp_path / name) for name in before} == before


@pytest.mark.parametrize(("change", "weights", "says"), [
    ("hidden = nn.Tanh()", "pass", ["mine.py: model Sequential: tanh (layer 1 (Tanh)) is no piecewise linear"]),
    ("", "model[2].weight[0, 1] = float('nan')", ["mine.py: layer 2: weight[0,1] = nan", "train again, or repair"]),
    ("", "model[0].bias[3] = float('-inf')", ["mine.py: layer 0: bias[3] = -inf", "train again, or repair"]),
    ("width = 1_000_000", "pass", ["the network needs 93751 arrays", "The largest layer, Linear 2, has", "make it narrower"]),
    ("amplitude = 5.0", "pass", ["case sine drives external input 0", "at t = ", "past its linear limit of 0.45 V",
                                 "lower the stimulus"]),
    ("columns = ('x0', 'u1')", "pass", ["columns ('x0', 'u1')", "do not name every external input and state once"]),
    ("initial = (0.1, 0.2)", "pass", ["mine.py: experiment 'small', case sine: initial has 2 values", "takes 1 (x0)"]),
    ("initial = 0.1", "pass", ["mine.py: case sine: initial = 0.1 must be", "one value a state, e.g. (0.1,)"]),
    ("states = states[:, 0]", "pass", ["mine.py: calibration states: need", "got the shape (51,); one signal is a column"]),
    ("states[7, 0] = float('nan')", "pass", ["mine.py: calibration states: [7, 0] is nan", "leave those samples out"]),
    ("states = [[0.1], [0.1, 0.2]]", "pass", ["mine.py: calibration states: need", "array of numbers"]),
    ("cases = 2", "pass", ["cases ['sine', 'sine']", "a name of its own"]),
    ("width / 0", "pass", ["mine.py, line 16: ZeroDivisionError: division by zero", "correct the file"]),
    ("raise SystemExit(0)", "pass", ["mine.py, line 16: SystemExit: 0", "correct the file"]),
    ("if width", "pass", ["mine.py, line 16: SyntaxError", "correct the file"]),
], ids=["unsupported layer", "nan", "inf", "too large", "clipping", "columns", "initial states", "no initial states",
        "calibration of one dimension", "calibration with NaN", "ragged calibration", "case twice", "raises", "exits",
        "syntax"])
def test_an_experiment_that_cannot_be_compiled(warm_shell, earlier, change, weights, says):
    told = warm_shell.refuses("compile", experiment_file(warm_shell.folder, change, weights), "--out", "decks")
    assert [part for part in says if part not in told] == []
    assert "mine.py" in told or "layer" in told.lower() or "case" in told


def test_a_python_file_without_experiment(warm_shell, earlier):
    (warm_shell.folder / "mine.py").write_text("x = 1\n")
    assert "mine.py has no function experiment()" in warm_shell.refuses("compile", "mine.py", "--out", "decks")


@pytest.mark.parametrize(("damage", "says"), [
    (lambda whole: None, "does not exist"),
    (lambda whole: whole[: len(whole) // 2], "is damaged"),
], ids=["missing", "truncated"])
def test_a_checkpoint_that_cannot_be_read(warm_shell, earlier, damage, says):
    content = damage(checkpoint_paths("current")[0].read_bytes())
    if content is not None:
        (warm_shell.folder / "net.npz").write_bytes(content)
    told = warm_shell.refuses("compile", "net.npz", "--out", "decks")
    assert f"net.npz {says}" in told
    assert "train again with `cosim train" in told


def engine(folder, version):
    """A program that answers like an ngspice of that version."""
    path = folder / f"ngspice-{version}"
    path.write_text(f"#!/bin/sh\necho '** ngspice-{version} : Circuit level simulation program'\necho '** Compiled with KLU'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("command", [("simulate", "rc.cir", "--out", "waves"), ("hp-memristor", "--out", "waves")],
                         ids=["simulate", "hp-memristor"])
@pytest.mark.parametrize(("version", "says"), [(None, "is not an executable file"), (41, "ngspice 41 with KLU, needed is 42")])
def test_ngspice_that_is_missing_or_too_old(warm_shell, earlier, command, version, says):
    (warm_shell.folder / "rc.cir").write_text(RC)
    named = warm_shell.folder / "none" if version is None else engine(warm_shell.folder, version)
    told = warm_shell.refuses(*command, env={"COSIM_NGSPICE": str(named)})
    assert str(named) in told
    assert says in told
    assert "run .ci/install-ngspice, or set COSIM_NGSPICE" in told


def test_a_deck_that_does_not_converge(shell, earlier):
    (shell.folder / "rc.cir").write_text("t\nv1 in 0 pwl(0 0 1u 1)\nr1 in a 1k\nc1 a 0 1p\nb1 a 0 i=-exp(40*v(a))*1e-14\n"
                                         ".tran 1n 1m\n.save v(a)\n.end\n")
    told = shell.refuses("simulate", "rc.cir", "--out", "waves", "--force")
    assert "no_convergence: " in told
    assert "deck: rc.cir" in told
    assert re.search(r"last time reached: [45]\.\d+e-07 s", told)  # s; the source reaches 1 V at 1 us
    assert "smooth the source or device" in told


@pytest.mark.parametrize(("words", "says"), [
    (("simulate", "gone.cir"), "gone.cir does not exist; name a deck"),
    (("simulate", "nothing"), "nothing holds no .cir deck"),
    (("inspect", "gone.cir"), "gone.cir does not exist; name a deck"),
    (("compile", "notes.txt", "--out", "decks"), "notes.txt: name a Python file with experiment(), or a checkpoint"),
    (("train", "charge"), "'charge'; choose current or voltage"),
    (("hp-programming", "--drive", "charge"), "'charge'; choose current or voltage"),
    (("compare", "nothing"), "manifest.json does not exist; make the folder with `cosim compile`"),
    (("report", "gone"), "gone does not exist; name a folder made by `cosim compile`"),
    (("compare", "decks"), "run `cosim simulate` first, or name the folder with --waveforms"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_names_that_lead_nowhere(warm_shell, earlier, words, says):
    (warm_shell.folder / "nothing").mkdir()
    (warm_shell.folder / "notes.txt").write_text("")
    assert says in warm_shell.refuses(*words)


@pytest.mark.parametrize(("damage", "says"), [
    (Path.unlink, "does not exist"),
    (lambda path: path.write_bytes(b"PK"), "is damaged"),
], ids=["missing", "damaged"])
@pytest.mark.parametrize("words", [("compare", "decks"), ("inspect", "decks", "--loops"), ("corners", "decks")],
                         ids=lambda w: w[0])
def test_weights_of_a_folder_that_cannot_be_read(warm_shell, compiled, words, damage, says):
    shutil.copytree(compiled, warm_shell.folder / "decks")
    (warm_shell.folder / "runs" / "decks" / "vectors").mkdir(parents=True)
    write_frame(warm_shell.folder / "runs" / "decks" / "vectors" / "sine.parquet", pd.DataFrame({"time": [0.0]}),
                folder_key(compiled))
    damage(warm_shell.folder / "decks" / "weights.npz")
    told = warm_shell.refuses(*words)
    assert f"decks/weights.npz {says}" in told
    assert told.endswith("compile again")


@pytest.mark.parametrize("words", [("simulate", "decks"), ("compare", "decks"), ("inspect", "decks")], ids=lambda w: w[0])
def test_a_damaged_manifest(warm_shell, compiled, words):
    shutil.copytree(compiled, warm_shell.folder / "decks")
    manifest = warm_shell.folder / "decks" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-200])
    told = warm_shell.refuses(*words)
    assert "manifest.json is damaged" in told
    assert "compile again" in told


@pytest.fixture
def full_disk(tmp_path):
    """(folder, function that fills its disk and gives the prefix to run a command with): really full where mounting is
    allowed, else every file that grows past 1000 bytes is refused."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True).returncode == 0

    def fill():
        if not mounted:
            return ("prlimit", "--fsize=1000:")
        with pytest.raises(OSError, match="No space left"), (folder / "filler").open("wb", buffering=0) as filler:
            while filler.write(bytes(4096)):
                pass
        return ()

    yield folder, fill
    if mounted:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_keeps_the_earlier_waveform(shell, full_disk, contents):
    folder, fill = full_disk
    (shell.folder / "rc.cir").write_text(RC)
    write_frame(folder / "rc.parquet", pd.DataFrame({"time": [0.0]}), "of another deck")
    prefix = fill()
    before = contents(folder)
    told = shell.refuses("simulate", "rc.cir", "--out", folder, prefix=prefix)
    assert f"cannot write {folder}/rc.parquet: " in told
    assert "the earlier file, if any, is unchanged. Free space or choose another folder" in told
    assert contents(folder) == before


def test_a_full_disk_keeps_the_earlier_decks(shell, full_disk, contents, compiled):
    folder, fill = full_disk
    shutil.copytree(compiled, folder / "decks")
    prefix = fill()
    before = contents(folder)
    told = shell.refuses("compile", experiment_file(shell.folder), "--out", folder / "decks", prefix=prefix)
    assert f"cannot write decks to {folder}/decks: " in told
    assert "free space or name another folder" in told
    assert contents(folder) == before


def engines_in(folder):
    """ngspice processes, whoever their parent is, that work somewhere below the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "comm").read_text().strip() == "ngspice" and str(folder) in os.readlink(entry / "cwd"):
                found.append(int(entry.name))
        except OSError:  # it ended meanwhile, or is not ours to look at
            continue
    return found


def test_an_interrupted_run_keeps_what_it_had_and_goes_on_later(shell, contents):
    decks, waves = shell.folder / "decks", shell.folder / "waves"
    decks.mkdir()
    ladder = [f"r{k} n{k} n{k + 1} 1k\nc{k} n{k + 1} 0 1n\nd{k} n{k + 1} 0 dd" for k in range(200)]
    (decks / "a.cir").write_text(RC)
    (decks / "b.cir").write_text("\n".join(["ladder", "v1 n0 0 sin(0 1 1k)", *ladder, ".model dd d(is=1e-14)",
                                            ".tran 1u 40m 0 1u", ".save v(n1)", ".end", ""]))
    write_frame(waves / "b.parquet", pd.DataFrame({"time": [0.0]}), "of the deck as it was before")
    earlier = contents(waves)
    with shell.start("simulate", "decks", "--out", "waves", "--workers", 1) as process:
        seen = []
        while "b: 25 %" not in seen:  # progress is live, also into a pipe
            line = process.stdout.readline()
            assert line, process.stderr.read()
            seen.append(line.strip())
        assert sorted(seen) == ["a: done", "a: started", "b: 25 %", "b: started"]
        assert len(engines_in(shell.folder)) == 1
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    told = shell.one_message(process.returncode, out, err, code=130)
    assert told == "cosim: interrupted; finished results are kept, run the same command to go on"
    assert engines_in(shell.folder) == []
    assert not list(shell.folder.glob("cosim-run-*"))
    after = contents(waves)
    assert after.keys() == {Path("a.parquet"), Path("b.parquet")}
    assert after[Path("b.parquet")] == earlier[Path("b.parquet")]

    out = shell.succeeds("simulate", "decks", "--out", "waves", "--quiet")
    assert [line for line in out.splitlines() if "parquet" in line] == ["waves/a.parquet (done before)", "waves/b.parquet"]
    assert ": started" not in out  # quiet: results only
    assert contents(waves)[Path("a.parquet")] == after[Path("a.parquet")]
    assert read_frame(waves / "b.parquet")["time"].iloc[-1] == pytest.approx(40e-3)


def test_an_interrupted_compile_says_that_the_decks_are_as_they_were(shell, earlier):
    source = experiment_file(shell.folder, "width = 2000")
    with shell.start("compile", source, "--out", "decks", "--fidelity", "macro") as process:
        assert process.stdout.readline().startswith("hidden_1, 63 arrays, r_f ")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    told = shell.one_message(process.returncode, out, err, code=143)
    assert told == "cosim: terminated; the folder of decks is as it was, run the same command again"
