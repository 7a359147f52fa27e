"""Writing a folder of files: all or nothing, and nothing twice."""

import errno
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from circuits.netlist.deck import write_files
from circuits.netlist.folder_lock import only_writer


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_writes_text_and_bytes_below_the_folder(tmp_path):
    write_files(tmp_path / "new", {"a.cir": "µ\n", "b/c.npz": b"\x00\r\n"})
    assert contents(tmp_path / "new") == {"a.cir": "µ\n".encode(), "b/c.npz": b"\x00\r\n"}


def test_a_file_that_is_the_same_is_left_alone(tmp_path):
    write_files(tmp_path, {"a": "1\n", "b": "1\n"})
    stamp = (tmp_path / "a").stat().st_mtime_ns
    write_files(tmp_path, {"a": "1\n", "b": "2\n"})
    assert (tmp_path / "a").stat().st_mtime_ns == stamp
    assert (tmp_path / "b").read_text() == "2\n"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_on_the_last_file_changes_none(tmp_path, monkeypatch, error):
    write_files(tmp_path, {"a": "1\n", "b": "1\n"})
    before = contents(tmp_path)
    written = Path.write_bytes

    def write(self, data):
        written(self, data[: len(data) // 2] if "b" in self.name else data)
        if "b" in self.name:
            raise error

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(type(error)):
        write_files(tmp_path, {"a": "2\n", "b": "2\n", "c/d": "2\n"})
    assert contents(tmp_path) == before


def test_a_second_writer_waits_for_the_first(tmp_path):
    def second():
        with only_writer(tmp_path / "new"):
            (tmp_path / "new" / "a").write_text("second\n")

    waiting = Thread(target=second)
    with only_writer(tmp_path / "new"):
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert contents(tmp_path) == {}
    waiting.join(10)
    assert contents(tmp_path) == {"new/a": b"second\n"}


def test_a_killed_writer_holds_nothing(tmp_path):
    held = ("import sys, time\nfrom pathlib import Path\nfrom circuits.netlist.folder_lock import only_writer\n"
            "with only_writer(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n")
    with subprocess.Popen([sys.executable, "-c", held, tmp_path], cwd=Path(__file__).parents[2], text=True,
                          stdout=subprocess.PIPE) as first:
        assert first.stdout.readline() == "held\n"
        first.kill()
    with only_writer(tmp_path):
        pass
