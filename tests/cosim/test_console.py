"""What a run says where its output is no terminal."""

import pandas as pd
import pytest

from cosim.console import Console


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def test_a_job_says_when_it_starts_at_every_quarter_and_when_it_ends(capsys):
    with Console().bars() as update:
        update("sine", 0.0)
        for percent in range(3, 100):
            update("sine", percent / 100)
            if percent == 60:
                update("ramp", 0.0)
                assert capsys.readouterr().out.splitlines() == ["sine: started", "sine: 25 %", "sine: 50 %", "ramp: started"]
        update("sine", 1.0)
        update("ramp", 1.0)
    assert capsys.readouterr().out.splitlines() == ["sine: 75 %", "sine: done", "ramp: done"]


def test_training_says_its_quarters_and_its_loss(capsys):
    with Console().bar("train current") as step:
        for done in range(1, 9):
            step("neural_ode", done, 8, 1 / done)
    assert capsys.readouterr().out.splitlines() == [
        "train current, neural_ode: 25 %, L1 5.00e-01", "train current, neural_ode: 50 %, L1 2.50e-01",
        "train current, neural_ode: 75 %, L1 1.67e-01", "train current, neural_ode: 100 %, L1 1.25e-01"]


def test_many_jobs_are_counted(capsys):
    with Console().overall("boards", 2) as update:
        update("board 0 sine", 0.0)
        update("board 1 sine", 0.7)
        update("board 1 sine", 1.0)
        update("board 0 sine", 1.0)
    assert capsys.readouterr().out.splitlines() == ["boards: 1 of 2 done, board 1 sine", "boards: 2 of 2 done, board 0 sine"]


def test_quiet_says_nothing(capsys):
    console = Console(quiet=True)
    with console.bars() as update, console.bar("t") as step, console.overall("n", 1) as job:
        update("a", 0.0)
        update("a", 1.0)
        step("m", 1, 1, 0.5)
        job("j", 1.0)
    console.say("x")
    assert capsys.readouterr().out == ""


def test_a_table_keeps_units_in_brackets(capsys):
    Console().table(pd.DataFrame([{"what": "[bold]", "min [uS]": "20"}]), "conductances [uS]")
    shown = capsys.readouterr().out
    assert shown.count("[uS]") == 2
    assert "[bold]" in shown
