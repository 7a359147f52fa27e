"""Decks of strangers run as they are: every vector is bit by bit that of plain ngspice."""

import os
import subprocess

import numpy as np
import pytest

from circuits.engine.job import Job
from circuits.engine.ngspice import find_engine
from circuits.engine.rawfile import read_raw
from circuits.engine.run import run

from .stranger_decks import DECKS


def write(folder, files):
    """Writes the files; path of the first, the deck."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return folder / next(iter(files))


def plain(deck, home):
    """Plots of plain ngspice, started in the deck's folder with its own start-up file. It runs a .control block too; the
    runs that the block asks for go to no raw file."""
    raw = home / "plain.raw"
    subprocess.run([find_engine().path, "-n", "-b", "-r", raw, deck.name], cwd=deck.parent, stdin=subprocess.DEVNULL,
                   capture_output=True, timeout=60, check=True, env=os.environ | {"HOME": str(home)})
    return read_raw(raw)


@pytest.mark.parametrize("files", DECKS.values(), ids=DECKS.keys())
def test_every_vector_is_that_of_plain_ngspice(files, tmp_path):
    deck = write(tmp_path / "place", files)
    got = [plot for plot in run(Job(deck=deck, timeout=60)).plots if not plot.name.startswith("four")]
    expected = plain(deck, tmp_path)
    assert [(plot.plot, plot.names) for plot in got] == [(plot.plot, plot.names) for plot in expected]
    assert all(len(plot) for plot in got)
    for plot, other in zip(got, expected, strict=True):
        assert np.array_equal(plot.data.view(np.uint64), other.data.view(np.uint64)), plot.name
    assert len({plot.name for plot in got}) == len(got)
