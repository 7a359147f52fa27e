"""The private folder of a run: gone afterwards, gone later when its process was killed, never gone while it is used."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from circuits.engine.workplace import LOCK, YOUNG, workplace

DECK = Path("deck.cir")


@pytest.fixture
def parent(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def age(folder):
    then = time.time() - 2 * YOUNG
    os.utime(folder, (then, then))


def abandoned(parent, name="cosim-run-dead"):
    folder = parent / name
    folder.mkdir()
    (folder / LOCK).touch()
    (folder / "out.raw").write_bytes(bytes(1000))
    age(folder)
    return folder


def test_is_there_inside_and_gone_after(parent):
    with workplace(DECK) as folder:
        assert folder.parent == parent
        assert (folder / LOCK).exists()
    assert list(parent.iterdir()) == []


def test_is_gone_after_an_error_too(parent):
    with pytest.raises(KeyboardInterrupt), workplace(DECK):
        raise KeyboardInterrupt
    assert list(parent.iterdir()) == []


def test_a_killed_runs_folder_is_removed_by_the_next(parent):
    code = ("import os, signal\nfrom circuits.engine.workplace import workplace\n"
            "with workplace('deck.cir') as folder:\n (folder / 'out.raw').write_text('x')\n"
            " os.kill(os.getpid(), signal.SIGKILL)")
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(parent)}, timeout=30, check=False)
    (left,) = parent.iterdir()
    with workplace(DECK):
        assert left.exists()  # it may just have been made
    age(left)
    with workplace(DECK):
        assert not left.exists()


def test_a_folder_in_use_is_kept_however_old(parent):
    with workplace(DECK) as used:
        age(used)
        with workplace(DECK):
            assert (used / LOCK).exists()


def test_what_is_not_a_runs_folder_is_kept(parent):
    plain = parent / "cosim-run-plain"  # no lock: not made here
    plain.mkdir()
    age(plain)
    other = abandoned(parent, "other-dead")
    target = abandoned(parent, "elsewhere")
    (parent / "cosim-run-link").symlink_to(target)
    dead = abandoned(parent)
    with workplace(DECK):
        pass
    assert plain.exists()
    assert (other / "out.raw").exists()
    assert (target / "out.raw").exists()
    assert not dead.exists()
