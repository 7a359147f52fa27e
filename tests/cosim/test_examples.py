"""The examples work as they stand, as a new user would run them."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The notebook, run from the start in an empty folder."""
    notebook = nbformat.read(EXAMPLES / "02_own_model.ipynb", as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    return notebook, folder


def outputs(notebook, kind):
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    return [data[kind] for data in shown if kind in data]


def test_the_notebook_takes_a_model_to_an_error_table(notebook):
    notebook, folder = notebook
    (table,) = [html for html in outputs(notebook, "text/html") if "max / full scale" in html]
    assert re.findall(r"<td>(x\d)</td>", table) == ["x0", "x1"]
    percents = [float(text) for text in re.findall(r"<td>([\d.]+)%</td>", table)]
    assert len(percents) == 4  # MRE and largest error of both states
    assert max(percents) < 1.0
    assert len(outputs(notebook, "image/png")) == 1
    assert (folder / "runs" / "pendulum" / "manifest.json").is_file()


def test_the_notebook_prints_no_noise(notebook):
    streams = [output["text"] for cell in notebook[0].cells for output in cell.get("outputs", []) if "text" in output]
    assert len(streams) == 2, streams  # the training's error, and that the gate passed
