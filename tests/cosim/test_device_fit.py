"""`cosim device fit`: a CSV file of another kind of device becomes twins; what is wrong with a file is one message."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cosim.cli import main
from training.twins.store import load_twin

RUN = CliRunner()


@pytest.fixture(scope="module")
def table():
    """One long run of a device with two outputs, the second of which answers three steps late, measured once."""
    draw = np.random.default_rng(0)
    rows = 801
    u = np.repeat(draw.uniform(0, 5, 400), 4)[:rows]
    x = np.zeros((rows, 2))
    for k in range(rows - 1):
        x[k + 1, 0] = x[k, 0] + 0.3 * (np.tanh(u[k] - 2.0) - x[k, 0]) + 0.02 * draw.normal()
        x[k + 1, 1] = x[k, 1] + 0.3 * (x[max(k - 3, 0), 0] - x[k, 1]) + 0.01 * draw.normal()
    return pd.DataFrame({"time": 1e-3 * np.arange(rows), "input": u, "x0": x[:, 0], "x1": x[:, 1]})


def fit(*words):
    return RUN.invoke(main.app, ["device", "fit", *map(str, words)])


def test_a_csv_becomes_twins_and_is_not_fitted_twice(table, tmp_path):
    table.to_csv(tmp_path / "mine.csv", index=False)
    words = (tmp_path / "mine.csv", "--delays", 3, "--length", 30, "--hidden", 6, "--auxiliaries", 1, "--effort", 0.05,
             "--out", tmp_path, "--quiet")
    first = fit(*words)
    assert first.exit_code == 0, first.output
    twin = load_twin(tmp_path / "mine_sde.npz")
    assert (twin.kind, twin.n_outputs, twin.delays, twin.step_time) == ("sde", 2, 3, pytest.approx(1e-3))
    low, high = table["input"].min(), table["input"].max()
    assert twin.input_range == (pytest.approx(low), pytest.approx(high))
    paths = pd.read_parquet(tmp_path / "mine.parquet")
    values = [f"{name}{k}" for name in ("device", "ode", "sde") for k in (0, 1)]
    assert list(paths.columns) == ["sequence", "repeat", "step", "input", *values]
    off = (paths["ode0"] - paths["device0"]).std() / paths["device0"].std()
    assert off < 0.4  # a twentieth of the descents; its noise is 0.02 of a signal of 0.6, twins that learnt nothing are at 1
    stamp = (tmp_path / "mine_sde.npz").stat().st_mtime_ns
    again = fit(*words)
    assert again.exit_code == 0
    assert "twin:" not in again.output
    assert (tmp_path / "mine_sde.npz").stat().st_mtime_ns == stamp


@pytest.mark.parametrize(("change", "words", "message"), [
    (lambda t: t, (), "one sequence of 800 steps; give the length"),
    (lambda t: t.assign(x0=t["x0"].where(t.index != 5)), ("--length", 30), "is nan"),
    (lambda t: t.assign(input=2.0), ("--length", 30), "input is 2 in every row"),
    (lambda t: t, ("--length", 30, "--method", "guess"), "no fit 'guess'"),
    (lambda t: t.drop(index=range(4, 6)), ("--length", 30), "times are uneven"),
])
def test_a_file_that_gives_no_twin_ends_in_one_message(table, tmp_path, change, words, message):
    from training.errors import TrainingError

    change(table).to_csv(tmp_path / "mine.csv", index=False)
    result = fit(tmp_path / "mine.csv", "--out", tmp_path, *words)
    assert result.exit_code == 1
    assert isinstance(result.exception, TrainingError)  # `main` prints it as one line
    assert message in str(result.exception)
    assert not list(tmp_path.glob("*.npz"))


def test_the_how_to_works_as_written(tmp_path, monkeypatch, capsys):
    """Every block of it in order, with a shorter file and shorter descents."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "your-own-device.md").read_text()
    monkeypatch.chdir(tmp_path)
    names, ran = {}, []
    for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        ran.append(kind)
        if kind == "python":
            for long, short in (("3001", "801"), ("steps=200", "steps=3"), ("test=1000", "test=40"),
                                ('kind="ode", ', 'kind="ode", effort=0.02, ')):
                block = block.replace(long, short)
            exec(compile(block, "your-own-device", "exec"), names)
            continue
        program, *words = shlex.split(block)
        assert program == ".venv/bin/cosim"
        result = RUN.invoke(main.app, [*words, "--effort", "0.02"])
        assert result.exit_code == 0, result.output
    assert ran == ["python", "", "python", "python"]
    assert "free_run" in (said := capsys.readouterr().out)
    assert "other noise:" in said
