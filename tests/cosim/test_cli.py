"""The `cosim` command as a user meets it: help, doctor, inspect, experiment files that work."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.integrate import solve_ivp

import cosim
from cosim.compiler.options import Options
from cosim.experiment import load_experiment

COMMANDS = {  # command: what its help must name
    "hp-memristor": ["--out", "--fidelity", "--no-second-opinion", "--workers", "--force", "--quiet"],
    "hp-programming": ["--out", "--seeds", "--drive", "--fidelity", "--workers", "--quiet"],
    "lorenz96": ["--out", "--seeds", "--quick", "--time-scale", "--workers", "--force", "--quiet"],
    "train": ["drive", "--force", "--seed", "--out", "--quiet"],
    "compile": ["source", "--out", "--levels", "--error", "--yield", "--seed", "--fidelity", "--time-scale", "--quiet",
                "experiment()", "cosim.experiment.Experiment"],
    "simulate": ["target", "--out", "--fidelity", "--workers", "--timeout", "--force", "--quiet"],
    "compare": ["folder", "--waveforms", "--why"],
    "corners": ["source", "--corner", "--fidelity", "--out", "--workers", "--timeout", "--force", "--quiet"],
    "report": ["folder", "--waveforms", "--out", "--force"],
    "inspect": ["target", "--loops", "--all", "--waveforms", "--why", "--stray", "--workers"],
    "netlists": ["out"],
    "doctor": [],
}
# No bias in the first layer, two Linear in a row, ReLU before the last: nothing that training would build.
ODD = """
import numpy as np
import torch
from torch import nn

from cosim.problem.case import Case
from cosim.experiment import Experiment
from cosim.compiler.scaling import Calibration
from training.stimuli import Sine


def experiment():
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(2, 4, bias=False), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1))
    t = np.linspace(0, 0.1, 51)
    calibration = Calibration(inputs=Sine()(t)[:, None], states=np.linspace(-0.4, 0.4, 51)[:, None])
    case = Case(name="sine", stimuli=(Sine(),), initial=(0.1,), duration=0.02, samples=21)
    return Experiment(subject="odd", model=model, columns=("u0", "x0"), calibration=calibration, cases=(case,))
"""


def words(text):
    """Letters, digits and dashes only: help is drawn in boxes and broken into lines."""
    return " ".join(re.findall(r"[\w.()/-]+", text))


def test_help_lists_every_command(shell):
    listed = words(shell.succeeds("--help"))
    assert [name for name in COMMANDS if name not in listed] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_the_arguments(shell, command):
    told = words(shell.succeeds(command, "--help")).lower()
    assert f"cosim.cli.main {command}" in told
    assert [name for name in COMMANDS[command] if name.lower() not in told] == []


def test_an_unknown_option_is_refused_without_traceback(shell):
    code, out, err = shell.run("simulate", "deck.cir", "--wrokers", "2")
    assert code == 2  # usage, as every command line has it
    assert "--wrokers" in err
    assert "Traceback" not in out + err


def test_doctor_finds_everything(shell):
    told = shell.succeeds("doctor")
    assert str(Path(cosim.__file__).parent) in told  # of two clones, which one it is
    assert "MISSING" not in told
    assert re.search(r"^ok +ngspice +\d+ with KLU, /", told, re.M)
    assert re.search(r"^optional op-amp +compiled, kept in /.+$", told, re.M)


def test_doctor_says_that_ngspice_is_missing_and_how_to_get_it(shell, tmp_path):
    code, out, err = shell.run("doctor", env={"COSIM_NGSPICE": str(tmp_path / "none")})
    assert code == 1
    (line,) = [line for line in out.splitlines() if line.startswith("MISSING")]
    assert line.split()[1] == "ngspice"
    assert "make setup" in out
    assert "Traceback" not in out + err


def test_inspect_counts_the_committed_twin(warm_shell, pytestconfig):
    told = warm_shell.succeeds("inspect", pytestconfig.rootpath / "netlists" / "hp_memristor")
    table = {row[0]: row[1:] for row in ([cell.strip() for cell in line.strip("│ ").split("│")]
                                         for line in told.splitlines() if line.startswith("│"))}
    # 2-14-14-1. Three full arrays; a ReLU amplifier a hidden neuron, a plain one for the output.
    assert table["cell_1t1r"] == ["3072"]
    assert (table["relu_tia"], table["tia"]) == (["28"], ["1"])
    # -v lines: one inverter each for the input, the bias, 28 hidden neurons and the state
    assert table["inverter"] == ["31"]
    # buffers: input, bias, and the one at the integrator's capacitor; these and the ReLU amplifiers carry a clamp
    assert table["follower"] == ["3"]
    assert table["clamp"] == ["31"]
    # 28 + 1 amplifiers, 31 inverters, 3 followers, 1 integrator, four op-amps a package; S1..S4 in one package
    assert table["opa4990"] == ["64", "16"]
    assert table["tmux1134"] == ["4", "1"]
    assert table["1n4148"] == [str(2 * 31 + 2 * 28)] * 2  # two a clamp, two a ReLU amplifier
    assert table["32x32 1T1R array"] == ["3", "3"]
    assert table["voltage source"] == ["6"]  # two supplies, reference, control, initial condition, stimulus
    # pairs in use: outputs * 2 * (inputs + bias)
    assert [table[name][0] for name in ("hidden_1", "hidden_2", "output")] == ["84", "420", "30"]
    for name in ("hidden_1", "hidden_2", "output"):
        assert table[name][1] == "20.00"  # uS, g_min: an idle device in every layer
        assert float(table[name][3]) <= 100.0  # uS, g_max


def test_compiles_an_experiment_file_of_any_linear_and_relu(shell, contents):
    (shell.folder / "odd.py").write_text(ODD)
    told = shell.succeeds("compile", "odd.py", "--out", "decks")
    assert "hidden_1: 2 -> 4" in told
    assert "output: 3 -> 1" in told
    made = contents(shell.folder / "decks")
    names = {str(path) for path in made}
    assert {"sine.cir", "manifest.json", "weights.npz", "conductances/hidden_1.inc", "conductances/hidden_2.inc",
            "conductances/output.inc", "blocks/board.inc"} <= names
    assert not [name for name in names if "partial" in name]


def test_the_board_of_such_a_network_computes_what_torch_computes(warm_shell, tmp_path):
    """Simulated and compared by the command; the answer worked out here from the weights alone, by another solver."""
    (tmp_path / "odd.py").write_text(ODD)
    experiment = load_experiment(tmp_path / "odd.py")
    experiment.compile(tmp_path / "decks", Options(all_cells=False))  # rows that are off left out: seconds, not a minute
    warm_shell.succeeds("simulate", "decks", "--out", "waves")
    frame = pd.read_parquet(tmp_path / "waves" / "sine.parquet")
    first, second, _, last = experiment.model

    @torch.no_grad()
    def slope(t, y):
        u = 0.0485 + 0.091 * np.sin(20 * np.pi * t)
        hidden = second.weight.numpy() @ first.weight.numpy() @ np.array([u, y[0]]) + second.bias.numpy()
        return last.weight.numpy() @ np.maximum(hidden, 0) + last.bias.numpy()

    t = np.linspace(0, 0.02, 11)
    expected = solve_ivp(slope, (0, 0.02), [0.1], t_eval=t, rtol=1e-9, atol=1e-11).y[0]
    volts = np.interp(5e-3 + t, frame["time"], frame["v(x0_p)"])  # pre-charge ends at 5 ms; 0.4 V a unit
    # model units: 0.1 % of full scale; finite op-amp gain and the tap of a straight line between time points
    np.testing.assert_allclose(volts / 0.4, expected, rtol=0, atol=1e-4)
    told = warm_shell.succeeds("compare", "decks", "--waveforms", "waves")
    (row,) = [line.split("│") for line in told.splitlines() if line.startswith("│ sine")]
    assert float(row[3].strip().rstrip("%")) < 0.1  # MRE in per cent


def test_an_ac_deck_is_written_too(shell):
    (shell.folder / "rc.cir").write_text("rc\nv1 in 0 dc 0 ac 1\nr1 in out 1k\nc1 out 0 1u\n.ac dec 1 100 1k\n"
                                         ".save v(out)\n.end\n")
    shell.succeeds("simulate", "rc.cir", "--out", "waves")
    frame = pd.read_parquet(shell.folder / "waves" / "rc.parquet")
    expected = 1 / (1 + 2j * 3.141592653589793 * frame["frequency"] * 1e-3)
    assert list(frame["frequency"]) == pytest.approx([100, 1000])
    got = frame["real(v(out))"] + 1j * frame["imag(v(out))"]
    assert abs(got - expected).max() < 1e-9  # V at 1 V, linear circuit in double precision
