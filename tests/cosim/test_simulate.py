"""`cosim simulate` and what it leaves: failures told together, folders tried first, signals, failed measures, early ends."""

import os
import signal
import struct
import time

import pandas as pd
import pytest

from cosim.behavioural.simulation import folder_key
from cosim.folder.manifest import read_manifest
from cosim.store.files import ABANDONED, read_frame, write_atomically, write_frame

RC = "rc\nv1 in 0 pwl(0 0 1n 1)\nr1 in out 1k\nc1 out 0 1u\n.tran 10u 1m\n.save v(out)\n.end\n"
SINGULAR = RC.replace("r1 in out", "r1 in off")
LONG = "long\nv1 a 0 sin(0 1 1meg)\nr1 a b 1k\nc1 b 0 1n\n.tran 1n 10 0 1n\n.save v(b)\n.end\n"


def test_every_failing_deck_is_reported_and_the_others_are_kept(shell):
    (shell.folder / "decks").mkdir()
    for name, text in {"a": SINGULAR, "b": RC, "c": RC.replace("c1 out 0 1u", "d1 out 0 nomodel")}.items():
        (shell.folder / "decks" / f"{name}.cir").write_text(text)
    told = shell.refuses("simulate", "decks", "--out", "waves")
    assert told.startswith("cosim: 2 decks failed")
    order = [told.index(word) for word in ("singular: ", "deck: decks/a.cir", "missing_model: ", "deck: decks/c.cir")]
    assert order == sorted(order)
    assert [path.name for path in (shell.folder / "waves").iterdir()] == ["b.parquet"]


def test_a_deck_that_takes_too_long_names_the_option(warm_shell):
    (warm_shell.folder / "long.cir").write_text(LONG)
    told = warm_shell.refuses("simulate", "long.cir", "--out", "waves", "--timeout", 1)
    assert "the limit is 1 s; raise it (--timeout of `cosim simulate`, Job.timeout in Python)" in told


def test_one_failing_deck_is_reported_alone(warm_shell):
    (warm_shell.folder / "a.cir").write_text(SINGULAR)
    assert warm_shell.refuses("simulate", "a.cir", "--out", "waves").startswith("cosim: singular: ")


@pytest.mark.parametrize("out", ["taken", "taken/below"])
def test_a_file_in_the_place_of_the_results_folder_is_refused_before_the_run(warm_shell, out):
    (warm_shell.folder / "long.cir").write_text(LONG)
    (warm_shell.folder / "taken").write_text("mine")
    code, said, told = warm_shell.run("simulate", "long.cir", "--out", out)
    assert code == 1
    assert f"{out} cannot be a folder for results: " in told
    assert "name another one" in told
    assert "started" not in said
    assert (warm_shell.folder / "taken").read_text() == "mine"


def test_a_failed_measure_is_printed_with_its_reason(warm_shell):
    measures = ".meas tran never when v(out)=5\n.meas tran top max v(out)\n"
    (warm_shell.folder / "rc.cir").write_text(RC.replace(".save", f"{measures}.save"))
    for turn in ("now", "from the stored result"):
        code, out, told = warm_shell.run("simulate", "rc.cir", "--out", "waves")
        assert code == 1
        assert "cosim: 1 measure failed: rc.cir: never (" in told
        assert "  never = failed: " in out, turn
        assert "out of interval" in out
        assert "  top = 0.632" in out


@pytest.mark.parametrize(("number", "word"), [(signal.SIGTERM, "terminated"), (signal.SIGINT, "interrupted")])
def test_a_signal_says_what_it_leaves(shell, number, word):
    (shell.folder / "long.cir").write_text(LONG)
    with shell.start("simulate", "long.cir", "--out", "waves") as process:
        assert process.stdout.readline().startswith("long: started")
        deadline = time.monotonic() + 10
        while not list(shell.folder.glob("cosim-run-*/out.raw")) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    told = shell.one_message(process.returncode, out, err, code=128 + number)
    assert told == f"cosim: {word}; finished results are kept, run the same command to go on"
    assert not list(shell.folder.glob("cosim-run-*"))
    assert not list((shell.folder / "waves").iterdir())


def test_a_partial_file_of_a_killed_process_is_removed_by_the_next_writer(tmp_path):
    old, young, other = (tmp_path / name for name in (".a.json.1.partial", ".a.json.2.partial", ".b.json.1.partial"))
    for path in (old, young, other):
        path.write_text("half")
    for path in (old, other):
        os.utime(path, (time.time() - 2 * ABANDONED,) * 2)
    write_atomically(tmp_path / "a.json", b"{}")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.json.2.partial", ".b.json.1.partial", "a.json"]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory, small_experiment):
    folder = tmp_path_factory.mktemp("ended_early") / "decks"
    small_experiment.compile(folder)
    return folder


def raw(times, points):
    """A binary raw file of time and v(x0_p) whose header says ``points``."""
    rows = b"".join(struct.pack("dd", time, 0.01) for time in times)
    return (f"Title: t\nDate: d\nPlotname: Transient Analysis\nFlags: real\nNo. Variables: 2\nNo. Points: {points}\n"
            "Variables:\n\t0\ttime\ttime\n\t1\tv(x0_p)\tvoltage\nBinary:\n").encode() + rows


@pytest.mark.parametrize(("part", "points", "says"), [
    (1.0, "all", None),
    (0.5, "all", "time"),  # ngspice's own abort: a whole file of half a run
    (1.0, "none", "was killed"),  # killed: the header was never completed
    (0.5, "none", "was killed"),
    (0.5, "more", "cut short"),  # disk full
], ids=["whole", "aborted", "killed at the end", "killed", "cut"])
def test_a_run_that_ended_early_is_never_compared(warm_shell, compiled, part, points, says):
    manifest = read_manifest(compiled)
    stop = manifest.start + manifest.cases["sine"].duration * manifest.scales.time
    times = [stop * part * k / 200 for k in range(201)]
    (warm_shell.folder / "waves").mkdir()
    (warm_shell.folder / "waves" / "sine.raw").write_bytes(raw(times, {"all": 201, "none": 0, "more": 402}[points]))
    if says is None:
        assert "circuit against torch" in warm_shell.succeeds("compare", compiled, "--waveforms", "waves")
    else:
        assert says in warm_shell.refuses("compare", compiled, "--waveforms", "waves")


def test_a_stored_waveform_that_ends_early_is_never_compared(warm_shell, compiled):
    manifest = read_manifest(compiled)
    times = [manifest.start * k / 10 for k in range(20)]
    write_frame(warm_shell.folder / "waves" / "sine.parquet", pd.DataFrame({"time": times, "v(x0_p)": 0.01}),
                folder_key(compiled))
    assert len(read_frame(warm_shell.folder / "waves" / "sine.parquet")) == 20
    told = warm_shell.refuses("compare", compiled, "--waveforms", "waves")
    assert "time" in told
