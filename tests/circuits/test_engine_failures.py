"""Every kind of failure provoked and told apart, mostly on decks for which ngspice exits 0."""

import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Timer

import pytest

from circuits.engine.job import Job
from circuits.engine.run import run
from circuits.errors import FailureKind, SimulationError

K = FailureKind
TRAN = "\n.tran 1u 1m\n.save v({})"
DECKS = {  # kind, node, a word of the message, deck without title
    "floating node": (K.SINGULAR, "a", "path to ground", "v1 in 0 1\nc1 in a 1n\nc2 a 0 1n" + TRAN.format("a")),
    "floating node, uic": (K.SINGULAR, "a", "path to ground",
        "i1 0 a 1u\nr1 a b 1k\nc1 b c 1n\nl1 c d 1u\n.tran 1u 1m uic\n.save v(a)"),
    "loop of voltage sources": (K.SINGULAR, "v1#branch", "loop", "v1 in 0 1\nv2 in 0 2" + TRAN.format("in")),
    "missing model": (K.MISSING_MODEL, None, "nomod", "v1 in 0 1\nd1 in 0 nomod" + TRAN.format("in")),
    "missing subcircuit": (K.MISSING_MODEL, None, "nosub", "v1 in 0 1\nx1 in 0 nosub" + TRAN.format("in")),
    "missing parameter": (K.MISSING_MODEL, None, "nope", "v1 in 0 1\nr1 in 0 {nope}" + TRAN.format("in")),
    "bad value": (K.PARSE_ERROR, None, "abc", "v1 in 0 1\nr1 in 0 abc" + TRAN.format("in")),
    "unknown device parameter": (K.PARSE_ERROR, None, "foo",
        "v1 in 0 1\nd1 in 0 dd foo=3\n.model dd d(is=1e-14)" + TRAN.format("in")),
    "ignored line": (K.PARSE_ERROR, None, "ignored", "v1 in 0 1\nr1 in" + TRAN.format("in")),
    "name twice": (K.PARSE_ERROR, None, "already exists", "v1 in 0 1\nr1 in 0 1\nr1 in 0 2" + TRAN.format("in")),
    "missing vector": (K.MISSING_VECTOR, None, "v(nope)", "v1 in 0 1\nr1 in 0 1\n.tran 1u 1m\n.save v(in) v(nope)"),
    "no vector at all": (K.MISSING_VECTOR, None, ".save", "v1 in 0 1\nr1 in 0 1" + TRAN.format("nope")),
    "logarithm of zero": (K.MATH_DOMAIN, None, "v(o) = -1e+99",
        "v1 in 0 0\nb1 o 0 v=log(v(in))\nr2 o 0 1" + TRAN.format("o")),
    "logarithm of less": (K.MATH_DOMAIN, None, "out of range for log",
        "v1 in 0 sin(0 1 1k)\nb1 o 0 v=log(v(in))\nr2 o 0 1" + TRAN.format("o")),
    "division by zero": (K.MATH_DOMAIN, None, "v(o) = 1e+32", "v1 in 0 0\nb1 o 0 v=1/v(in)\nr2 o 0 1" + TRAN.format("o")),
    "overflow": (K.MATH_DOMAIN, None, "v(o) =",
        "v1 in 0 pwl(0 0 1m 2000)\nb1 o 0 v=exp(v(in))\nr2 o 0 1" + TRAN.format("o")),
    "infinite source": (K.MATH_DOMAIN, None, "inf", "v1 in 0 1e400\nr1 in 0 1" + TRAN.format("in")),
    "noise with klu": (K.UNSUPPORTED_ANALYSIS, None, "sparse",
        "v1 in 0 ac 1\nr1 in o 1k\nc1 o 0 1n\n.options klu\n.noise v(o) v1 dec 5 1 1k\n.save all"),
    "operating point": (K.NO_CONVERGENCE, None, "operating point",
        "v1 in 0 1\nr1 in a 1\nb1 a 0 i= v(a)>0.5 ? 1 : 0" + TRAN.format("a")),
    "time step": (K.NO_CONVERGENCE, "a", "Timestep too small",
        "v1 in 0 pwl(0 0 1u 1)\nr1 in a 1k\nc1 a 0 1p\nb1 a 0 i=-exp(40*v(a))*1e-14\n.tran 1n 1m\n.save v(a)"),
    "LAPLACE": (K.REJECTED_INPUT, None, "s_xfer", "v1 a 0 1\ne1 b 0 LAPLACE {v(a)} {1/(1+s*1m)}\nr1 b 0 1k" + TRAN.format("b")),
    "no ground": (K.SINGULAR, "b", "ground, which is node 0", "v1 a b 1\nr1 a b 1k" + TRAN.format("a")),
    "rejected": (K.REJECTED_INPUT, None, "whitelist", "n1 in 0 x\n.tran 1u 1m"),
}
LONG = "long\nv1 a 0 sin(0 1 1meg)\nr1 a b 1k\nc1 b 0 1n\n.tran 1n 10 0 1n\n.save v(b)\n.end\n"


@pytest.fixture
def deck(tmp_path):
    def write(body):
        path = tmp_path / "deck.cir"
        path.write_text(body if body.endswith(".end\n") else f"title\n{body}\n.end\n")
        return path

    return write


def failure(job):
    with pytest.raises(SimulationError) as failed:
        run(job)
    assert failed.value.deck == job.deck
    return failed.value


def test_a_card_that_the_title_takes_is_told_with_the_failure(tmp_path):
    path = tmp_path / "deck.cir"
    path.write_text("V1 in 0 PULSE(0 1 0 1n 1n 1 2)\nr1 in out 1k\nc1 out 0 1u\n.tran 1m 2\n.end\n")
    lost = failure(Job(deck=path))
    assert "deck.cir:1: the first line is the title to ngspice" in str(lost)
    assert lost.kind == K.SINGULAR


@pytest.mark.parametrize("title", ["RC filter of 3 stages", "Divider 1 to 2", "v2 of the board, 12 volts", "* V1 in 0 5"])
def test_a_plain_title_is_not_taken_for_a_card(tmp_path, title):
    path = tmp_path / "deck.cir"
    path.write_text(f"{title}\nv1 in 0 1\nr1 in 0 1k\n.op\n.end\n")
    assert run(Job(deck=path)).notes == ()


def test_what_is_proposed_for_laplace_is_a_low_pass(deck):
    # 1/(1 + s 1 ms) answers a step with 1 - exp(-t/1 ms): 0.6321 after 1 ms
    path = deck("v1 in 0 pwl(0 0 1u 1)\na1 %v(in) %v(out) low\n.model low s_xfer(num_coeff=[1] den_coeff=[1m 1] int_ic=[0])\n"
                "r1 out 0 1k\n.tran 1u 1.001m 0 1u\n.save v(out)")
    assert run(Job(deck=path)).plots[0]["v(out)"][-1] == pytest.approx(0.6321, abs=2e-3)  # V


def test_requests_that_ngspice_would_lose(deck):
    for body, says in (("v1 a 0 1\nr1 a 0 1", "no analysis"),
                       ("v1 a 0 1\nx1 a s\n.subckt s a\nr1 a 0 1\n.meas tran m max v(a)\n.ends s\n.tran 1u 1m", "top level")):
        error = failure(Job(deck=deck(body)))
        assert error.kind is K.REJECTED_INPUT
        assert says in error.message


@pytest.mark.parametrize(("kind", "node", "says", "body"), DECKS.values(), ids=DECKS.keys())
def test_kinds_are_told_apart(deck, kind, node, says, body):
    error = failure(Job(deck=deck(body), timeout=20))
    assert error.kind is kind, error
    assert error.node == node
    assert says in error.message
    assert "; " in error.message  # what is wrong; how to mend it
    assert error.partial is None or error.partial.partial


def test_time_step_keeps_time_node_and_data(deck):
    error = failure(Job(deck=deck(DECKS["time step"][3])))
    assert error.analysis == "tran"
    assert 0.4e-6 < error.last_time < 0.6e-6
    assert error.partial.time[-1] == error.last_time
    assert "aborted" in error.log_tail
    assert "last time reached" in str(error)


def test_operating_point_is_told_from_transient(deck):
    assert failure(Job(deck=deck(DECKS["operating point"][3]))).analysis == "op"


def test_truncated_and_out_of_range(deck):
    path = deck("v1 in 0 sin(0 3 1k)\nr1 in 0 1\n.tran 1u 1m\n.save v(in)")
    error = failure(Job(deck=path, t_stop=2e-3))
    assert error.kind is K.TRUNCATED
    assert error.last_time == pytest.approx(1e-3)
    error = failure(Job(deck=path, max_voltage=2.5))
    assert error.kind is K.OUT_OF_RANGE
    assert "v(in) =" in error.message
    assert len(error.partial) > 100
    assert run(Job(deck=path, max_voltage=3.1)).waveforms["v(in)"].max() > 2.9
    assert failure(Job(deck=path, require=("v(other)",))).kind is K.MISSING_VECTOR


def test_a_stop_time_that_is_an_expression_is_worked_out(deck, tmp_path, monkeypatch):
    path = deck(".param stop=1m\nv1 in 0 1\nr1 in 0 1\n.tran 1u {2*stop} \n.save v(in)")
    assert run(Job(deck=path)).waveforms.time[-1] == pytest.approx(2e-3)
    stand_in(tmp_path, monkeypatch, f"""case "$*" in *stops.cir) exec {shutil.which('ngspice')} "$@";; esac
sed 's/{{2[*]stop}}/1m/' -i deck.cir; exec {shutil.which('ngspice')} "$@" """)  # an engine that ends early with exit code 0
    error = failure(Job(deck=path))
    assert error.kind is K.TRUNCATED
    assert "of 0.002 s" in error.message


def test_t_stop_of_the_job_goes_before_the_deck(deck):
    path = deck(".param stop=1m\nv1 in 0 1\nr1 in 0 1\n.tran 1u {stop}\n.save v(in)")
    assert failure(Job(deck=path, t_stop=2e-3)).kind is K.TRUNCATED
    assert run(Job(deck=path, t_stop=1e-3)).waveforms.time[-1] == pytest.approx(1e-3)


def test_timeout_keeps_partial_data(deck):
    started = time.monotonic()
    error = failure(Job(deck=deck(LONG), timeout=0.7))
    assert time.monotonic() - started < 5
    assert error.kind is K.TIMEOUT
    assert error.partial.partial
    assert len(error.partial) > 100
    assert 0 < error.last_time < 10
    assert abs(error.partial["v(b)"]).max() < 1.1


@pytest.mark.parametrize(("limit", "kind", "says"), [
    (dict(cpu_limit=1), K.TIMEOUT, "processor time"),
    (dict(file_limit=200_000), K.DISK_FULL, "file_limit"),
])
def test_limits(deck, limit, kind, says):
    error = failure(Job(deck=deck(LONG), timeout=20, **limit))
    assert error.kind is kind
    assert says in error.message
    assert error.partial.partial


def test_a_stopped_run_is_killed_and_keeps_partial_data(deck):
    stop = Event()
    Timer(0.7, stop.set).start()
    with pytest.raises(SimulationError) as failed:
        run(Job(deck=deck(LONG), timeout=20), stop=stop)
    assert failed.value.kind is K.KILLED
    assert failed.value.partial.partial
    assert failed.value.last_time == failed.value.partial.time[-1] > 0


def test_a_working_folder_that_cannot_be_made(deck, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(SimulationError, match="TMPDIR") as failed:
        run(Job(deck=deck(LONG)))
    assert failed.value.kind is K.DISK_FULL


def test_every_kind_of_failure_is_provoked_in_this_file():
    named = set(re.findall(r"\bK\.([A-Z_]+)", Path(__file__).read_text()))
    assert named == set(FailureKind.__members__)


def test_memory_limit(deck):
    body = "\n".join(["v1 n0 0 1", *(f"r{i} n{i} n{i + 1} 1k\nc{i} n{i + 1} 0 1n" for i in range(40_000)),
                      ".tran 1u 1m", ".save v(n1)"])
    assert failure(Job(deck=deck(body), memory_limit=50_000_000)).kind is K.MEMORY


def test_errors_survive_pickling(deck):
    for body in (DECKS["time step"][3], DECKS["rejected"][3]):
        error = failure(Job(deck=deck(body)))
        copy = pickle.loads(pickle.dumps(error))
        assert type(copy) is type(error)
        assert str(copy) == str(error)
        assert (copy.kind, copy.deck, copy.last_time) == (error.kind, error.deck, error.last_time)


def stand_in(folder, monkeypatch, body, version="ngspice-46", klu="Compiled with KLU"):
    """An engine of our own making, for what the real one does too rarely."""
    path = folder / "stand-in"
    path.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "** {version} :"; echo "** {klu}"; exit 0; fi\n{body}\n')
    path.chmod(0o755)
    monkeypatch.setenv("COSIM_NGSPICE", str(path))


@pytest.mark.parametrize(("body", "kind", "says"), [
    ("kill -SEGV $$", K.ENGINE_CRASH, "SIGSEGV"),
    ("kill -ABRT $$", K.ENGINE_CRASH, "SIGABRT"),
    ("echo 'internal error -- bus error' >&2; exit 1", K.ENGINE_CRASH, "bus error"),
    ("kill -KILL $$", K.KILLED, "SIGKILL"),
    ("echo 'Warning: rawfile write error !!' >&2", K.DISK_FULL, "TMPDIR"),
    ("echo 'Error: something new' >&2; exit 0", K.ENGINE_ERROR, "something new"),
    ("exit 3", K.ENGINE_ERROR, "exited with 3"),
    ("exit 0", K.TRUNCATED, "no raw file"),
    ("echo garbage > ../out.raw", K.TRUNCATED, "not a raw file"),
])
def test_engine_faults(deck, tmp_path, monkeypatch, body, kind, says):
    stand_in(tmp_path, monkeypatch, body)
    error = failure(Job(deck=deck(LONG), timeout=10))
    assert error.kind is kind
    assert says in error.message


def test_output_without_end_is_kept_short(deck, tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch, "yes 'Error: again' | head -c 30000000 >&2")
    assert len(failure(Job(deck=deck(LONG), timeout=20)).log_tail) < 10_000


def test_a_very_long_card_in_the_log_is_cut(deck):
    points = " ".join(f"{k}u x" for k in range(30_000))
    error = failure(Job(deck=deck(f"v1 a 0 pwl({points})\nr1 a 0 1" + TRAN.format("a"))))
    assert error.kind is K.PARSE_ERROR
    assert len(str(error)) < 10_000
    assert "characters)" in error.log_tail


def test_engine_missing_and_too_old(deck, tmp_path, monkeypatch):
    path = deck(LONG)
    for version, klu, kind in (("ngspice-39", "Compiled with KLU", K.ENGINE_TOO_OLD),
                               ("ngspice-45", "Sparse only", K.ENGINE_TOO_OLD), ("bash-5", "KLU", K.ENGINE_MISSING)):
        (tmp_path / version).mkdir()
        stand_in(tmp_path / version, monkeypatch, "exit 1", version, klu)
        with pytest.raises(SimulationError, match="install-ngspice") as failed:
            run(Job(deck=path))
        assert failed.value.kind is kind
    monkeypatch.setenv("COSIM_NGSPICE", str(tmp_path / "nothing"))
    with pytest.raises(SimulationError, match="install-ngspice") as failed:
        run(Job(deck=path))
    assert failed.value.kind is K.ENGINE_MISSING


CHILD = """
import sys
from circuits.engine.job import Job
from circuits.engine.pool import run_many
print("ready", flush=True)
run_many([Job(deck=sys.argv[1])] * 3, workers=2)
"""


def engines_of(pid):
    """Processes whose parent is ``pid`` and which have become ngspice."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
        except OSError:  # it ended meanwhile
            continue
        if name == "ngspice" and int(rest.split()[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_orphan_survives_its_parent(deck, number, tmp_path):
    parent = subprocess.Popen([sys.executable, "-c", CHILD, str(deck(LONG))], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(tmp_path)})
    try:
        assert parent.stdout.readline() == b"ready\n"
        deadline = time.monotonic() + 10
        while len(engines := engines_of(parent.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(engines) == 2
        parent.send_signal(number)
        parent.wait(10)
        deadline = time.monotonic() + 5
        while any(alive(pid) for pid in engines) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not [pid for pid in engines if alive(pid)]
    finally:
        parent.kill()
        parent.wait(5)
        parent.stdout.close()
