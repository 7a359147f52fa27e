"""A small network and its calibration, and the command line in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cosim.compiler.scaling import Calibration
from cosim.experiment import Experiment
from cosim.problem.case import Case
from training.stimuli import STIMULI

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def small_model():
    """2-5-3-1, float64, dy/dt of order one."""
    torch.manual_seed(11)
    model = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 1)).double()
    with torch.no_grad():
        model[-1].weight *= 4
    return model


@pytest.fixture(scope="session")
def small_experiment(small_model):
    """The sine, 50 ms, from 0.1."""
    sine = STIMULI["sine"]
    times = np.linspace(0, 0.1, 101)
    states = np.linspace(-0.4, 0.4, 101)[:, None]
    return Experiment(
        subject="test",
        model=small_model,
        columns=("u0", "x0"),
        calibration=Calibration(inputs=sine(times)[:, None], states=states),
        cases=(Case(name="sine", stimuli=(sine,), initial=(0.1,), duration=0.05, samples=51),),
    )


@dataclass(frozen=True, kw_only=True)
class Shell:
    """The real `cosim` command in a process of its own, working in ``folder``."""

    folder: Path

    def start(self, *words, env=None, prefix=()):
        """Start it and do not wait."""
        surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(self.folder),
                        "COLUMNS": "200", "NO_COLOR": "1", **(env or {})}
        return subprocess.Popen([*prefix, sys.executable, "-m", "cosim.cli.main", *map(str, words)], cwd=self.folder,
                                env=surroundings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def run(self, *words, **how):
        """Run it to its end: (exit code, standard output, standard error)."""
        with self.start(*words, **how) as process:
            try:
                out, err = process.communicate(timeout=120)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return process.returncode, out, err

    def succeeds(self, *words, **how):
        """Standard output of a run that must be good."""
        code, out, err = self.run(*words, **how)
        assert code == 0, out + err
        return out

    def refuses(self, *words, **how):
        """The one message of a run that must fail, its lines joined."""
        return self.one_message(*self.run(*words, **how), code=1)

    def fails(self, *words, **how):
        """The one message of a run that prints its results and then fails, its lines joined."""
        code, _, err = self.run(*words, **how)
        return self.one_message(code, "", err, code=1)

    @staticmethod
    def one_message(found, out, err, *, code):
        assert found == code, out + err
        assert "Traceback" not in out + err
        messages = [line for line in err.splitlines() if line.startswith("cosim: ")]
        assert len(messages) == 1, err
        assert err.startswith("cosim: "), err  # and nothing above it
        assert "cosim: " not in out
        return " ".join(err.split())


@dataclass(frozen=True, kw_only=True)
class WarmShell(Shell):
    """The same command and the same answers, from forks of one process: for the many tests that need torch and no signals."""

    server: subprocess.Popen

    def run(self, *words, env=None):
        streams = {name: str(self.folder / f".{name}") for name in ("out", "err")}
        job = {"words": [str(word) for word in words], "folder": str(self.folder), "env": env or {}, **streams}
        self.server.stdin.write(json.dumps(job) + "\n")
        self.server.stdin.flush()
        code = int(self.server.stdout.readline())
        return code, *(Path(path).read_text() for path in streams.values())


@pytest.fixture
def shell(tmp_path):
    return Shell(folder=tmp_path)


@pytest.fixture(scope="session")
def warm_server():
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
                "COLUMNS": "200", "NO_COLOR": "1"}
    with subprocess.Popen([sys.executable, Path(__file__).with_name("warm_shell.py")], env=settings, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        yield server
        server.stdin.close()


@pytest.fixture
def warm_shell(tmp_path, warm_server):
    return WarmShell(folder=tmp_path, server=warm_server)


@pytest.fixture(scope="module")
def module_shell(tmp_path_factory, warm_server):
    """One folder for all tests of a file."""
    return WarmShell(folder=tmp_path_factory.mktemp("module"), server=warm_server)


@pytest.fixture
def contents():
    """What is below a folder, hidden files too: path -> bytes."""
    return lambda folder: {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
