"""Moving or renaming a source file makes exactly the results that depend on it stale: shown on a copy of the sources.

Every change is made on the copy, imports rewritten; a process that runs the copy then works out the keys of all results.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KEYS = r'''
import json, sys
from pathlib import Path
import torch
from torch import nn
import cosim
assert Path(cosim.__file__).parent.parent == Path.cwd(), cosim.__file__  # the copy runs, nothing else
from cosim import Calibration, Case, Experiment, Options, Sine, compile_network
from cosim.behavioural.simulation import folder_key
from cosim.simulation.decks import deck_key
from cosim.store.sources import source_key
from cosim.studies.base import drawing, study
from cosim.studies.base.board import compile_key
from cosim.studies.hp_memristor import study as hp
from cosim.studies.lorenz96 import study as lorenz96
from cosim.studies.lorenz96.experiment import Lorenz96Setup, Twin
from cosim.studies.lorenz96.twins import twin_board
from cosim.studies.parts.report import page_key
from training.systems.lorenz96 import FORCINGS

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).double()
case = Case(name="sine", stimuli=(Sine(),), initial=(0.1,), duration=0.05, samples=21)
own = Experiment(subject="own", model=model, columns=("u0", "x0"), cases=(case,),
                 calibration=Calibration(inputs=[[0.1], [-0.1]], states=[[0.4], [-0.4]]))
compiled = compile_network(own, "board", Options(fidelity="macro"))
setup, twin = Lorenz96Setup(), Twin(system=next(iter(FORCINGS.values())), seed=0, reference=False)
boards = {"HP": hp.hp_board("current", Options()), "Lorenz96": twin_board(setup, twin, "f6", ("trim",), setup.options),
          "own": study.StudyBoard(name="own", experiment=lambda: own),
          "trimmed": study.StudyBoard(name="trimmed", experiment=lambda: own, options=Options(trim=True))}
keys = {f"{name} board": compile_key(board, None if board.inputs else own) for name, board in boards.items()}
keys |= {
    "own vectors": deck_key(compiled.decks["sine"]), "own behavioural vectors": folder_key(compiled.folder),
    "HP rows": source_key(hp.case_rows.__module__), "Lorenz96 rows": source_key(lorenz96.twin_rows.__module__),
    "own rows": source_key(study.case_rows.__module__), "HP report": source_key(hp.DRAWING),
    "Lorenz96 report": source_key(lorenz96.DRAWING), "own report": source_key(*drawing.DRAWING), "parts page": page_key(),
}
json.dump(keys, sys.stdout)
'''
BOARDS = {"HP board", "Lorenz96 board", "own board", "trimmed board"}
VECTORS = {"own vectors", "own behavioural vectors"}
ROWS = {"HP rows", "Lorenz96 rows", "own rows"}
REPORTS = {"HP report", "Lorenz96 report", "own report"}
EVERYTHING = BOARDS | VECTORS | ROWS | REPORTS | {"parts page"}


def renamed(*dotted):
    """Give modules another name and let every import follow."""
    def change(copy):
        for name in dotted:
            source = copy / (name.replace(".", "/") + ".py")
            source.rename(source.with_name(f"renamed_{source.name}"))
            package, _, module = name.rpartition(".")
            for file in copy.rglob("*.py"):
                text = file.read_text()
                new = re.sub(rf"\b{re.escape(name)}\b", f"{package}.renamed_{module}", text)
                imported = rf"(from {re.escape(package)} import (?:\w+, )*){module}\b"
                new = re.sub(imported, rf"\1renamed_{module} as {module}", new)
                if new != text:
                    file.write_text(new)
    return change


def edited(name, old, new):
    """Change a file's text."""
    def change(copy):
        text = (copy / name).read_text()
        assert old in text
        (copy / name).write_text(text.replace(old, new, 1))
    return change


def keys(copy):
    told = subprocess.run([sys.executable, "-c", KEYS], cwd=copy, capture_output=True, text=True, timeout=120,
                          env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"})
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A copy of the sources, and the keys of its results."""
    copy = tmp_path_factory.mktemp("original") / "sources"
    for room in ("circuits", "cosim", "training"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    found = keys(copy)
    assert found.keys() == EVERYTHING
    shutil.rmtree(copy / "board")
    return copy, found


@pytest.mark.parametrize(("change", "stale"), [
    # Only what draws the parts page counts for it, beside its decks and figures; a deck counts by its text.
    pytest.param(renamed("cosim.errors"), EVERYTHING - {"parts page", "own vectors"}, id="all depend on it"),
    pytest.param(renamed("cosim.report.neurons"), {"HP report", "own report"}, id="two reports depend on it"),
    pytest.param(renamed("cosim.studies.hp_memristor.lissajous"), {"HP report"}, id="one report depends on it"),
    pytest.param(renamed("cosim.studies.hp_memristor.rows"), {"HP rows"}, id="the HP rows are it"),
    pytest.param(renamed("cosim.studies.base.case_rows", "cosim.comparison.case_comparison"), {"own rows", "own report"},
                 id="rows of a study of one's own"),
    pytest.param(renamed("cosim.comparison.stability", "cosim.cli.commands.doctor"), set(), id="nothing depends on it"),
    pytest.param(renamed("cosim.behavioural.stages.op_amp"),
                 {"own behavioural vectors", "own report", "trimmed board"}, id="behavioural model"),
    pytest.param(edited("cosim/diagnosis/trim.py", "CUT = 1e-3", "CUT = 2e-3"), {"trimmed board"}, id="the trim"),
    pytest.param(edited("circuits/parts/opa4990.lib", "gbw=1.1e6", "gbw=1.2e6"), EVERYTHING, id="a macromodel"),
    pytest.param(edited("circuits/parts/opa4990.va", "i_max = sr * c_gain", "i_max = 2 * sr * c_gain"), EVERYTHING,
                 id="the compiled op-amp"),
    pytest.param(edited("cosim/report/templates/twin.html", "<body>", "<body><hr>"), REPORTS | {"parts page"}, id="a template"),
])
def test_exactly_what_depends_on_a_file_is_stale(originals, tmp_path, change, stale):
    original, before = originals
    copy = tmp_path / "sources"
    shutil.copytree(original, copy)
    change(copy)
    after = keys(copy)
    assert {result for result, key in after.items() if key != before[result]} == stale


def test_a_copy_elsewhere_has_the_same_keys(originals, tmp_path):
    original, before = originals
    shutil.copytree(original, tmp_path / "sources")
    assert keys(tmp_path / "sources") == before
