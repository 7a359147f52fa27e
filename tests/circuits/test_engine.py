"""run(): analytic circuits, measures, progress, isolation, several plots, many jobs."""

import math
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits.engine.job import Job
from circuits.engine.ngspice import find_engine
from circuits.engine.pool import run_many
from circuits.engine.result import Result
from circuits.engine.run import run
from circuits.errors import CircuitError, FailureKind, MeasureFailed, RejectedDeck, SimulationError

RC = """\
RC step
.param vth=0.5 rr=1k
.func twice(x) {2*x}
v1 in 0 pwl(0 0 1n 1)   ; V
r1 in out {rr}          ; ohm
c1 out 0 1u             ; F
.options klu
.save v(out) i(v1) @c1[i]
.tran 10u 5m 0 10u
.meas tran t50 when v(out)={vth}             ; expect 6.93e-4 s
.meas tran sum param={twice(t50)+rr}         ; expect 1000.0014
.meas tran top max v(out) from=1m to=2m      ; expect 0.865 V
.control
run
write rc.raw
meas tran low min i(v1)
quit
.endc
.end
"""
LADDER = "\n".join(["ladder", "v1 n0 0 sin(0 1 1k)",
                    *(f"r{i} n{i} n{i + 1} 1k\nc{i} n{i + 1} 0 1n\nd{i} n{i + 1} 0 dd" for i in range(200)),
                    ".model dd d(is=1e-14)", ".options klu", ".tran 1u {stop} 0 1u", ".save v(n1)", ".end", ""])


@pytest.fixture
def deck(tmp_path):
    def write(text, name="deck.cir"):
        path = tmp_path / "place" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def test_rc_step(deck):
    result = run(Job(deck=deck(RC), require=("v(out)",), max_voltage=1.1))
    waves = result.waveforms
    expected = 1 - np.exp(-waves.time / 1e-3)
    assert_allclose(waves["v(out)"], expected, rtol=0, atol=2e-5)  # V, trapezoidal at 1/100 of the time constant
    on = waves.time > 2e-9  # s, after the source's edge
    assert_allclose(waves["@c1[i]"][on], np.exp(-waves.time[on] / 1e-3) / 1e3, rtol=0, atol=2e-8)  # A
    assert (waves.title, waves.scale_name, waves.partial) == ("rc step", "time", False)  # ngspice lowers the title
    assert_allclose(waves.time[-1], 5e-3, rtol=1e-9)
    assert result.ngspice_version >= 42
    assert result.seconds > 0
    assert result.warnings == ()


def test_measures_come_from_ngspice_with_parameters_and_functions(deck):
    result = run(Job(deck=deck(RC)))
    assert_allclose(result.measure("T50"), 1e-3 * math.log(2), rtol=1e-4)
    assert_allclose(result.measures["sum"], 1000 + 2e-3 * math.log(2), rtol=1e-5)  # ngspice prints six digits
    assert_allclose(result.measures["top"], 1 - math.exp(-2), rtol=1e-3)
    assert_allclose(result.measures["low"], -1e-3, rtol=1e-3)  # of the .control block
    assert result.failed_measures == {}


def test_a_failed_measure_is_flagged(deck):
    text = RC.replace(".control", ".meas tran never when v(out)=5\n.meas tran lost find v(nope) at=1m\n"
                                  ".meas tran after param={never*2}\n.control")
    result = run(Job(deck=deck(text)))
    assert set(result.failed_measures) == {"never", "lost", "after"}
    assert all(math.isnan(result.measures[name]) for name in result.failed_measures)
    assert "out of interval" in result.failed_measures["never"]
    assert "v(nope)" in result.failed_measures["lost"]
    assert_allclose(result.measure("t50"), 1e-3 * math.log(2), rtol=1e-4)
    with pytest.raises(MeasureFailed, match="never failed: .*out of interval"):
        result.measure("never")
    with pytest.raises(MeasureFailed, match="the deck has t50"):
        result.measure("t51")


@pytest.mark.parametrize(("card", "says"), [
    (".meas tran t50 max v(out)", "defined twice"),
    (".meas tran", "incomplete"),
])
def test_a_measure_that_would_be_lost_is_refused(deck, card, says):
    with pytest.raises(RejectedDeck, match=says):
        run(Job(deck=deck(RC.replace(".control", f"{card}\n.control"))))


def test_several_analyses_give_several_plots(deck):
    text = """\
several
v1 in 0 dc 1 ac 1 pwl(0 0 1n 1)
r1 in out 1k
c1 out 0 1u
.op
.dc v1 0 2 0.5
.ac dec 10 1 1meg
.tran 10u 5m
.save v(out)
.meas ac f3db when vdb(out)=-3.0103
.meas dc half find v(out) at=0.5
.meas tran t50 when v(out)=0.5
.end
"""
    result = run(Job(deck=deck(text)))
    assert {plot.scale_name for plot in result.plots} >= {"time", "frequency", "v-sweep"}
    assert result.waveforms.scale_name == "time"
    assert_allclose(result.measure("f3db"), 1e3 / (2 * math.pi), rtol=1e-3)
    assert_allclose(result.measure("half"), 0.5, rtol=1e-5)
    assert_allclose(result.measure("t50"), 1e-3 * math.log(2), rtol=1e-3)
    (ac,) = (plot for plot in result.plots if plot.scale_name == "frequency")
    assert_allclose(ac["v(out)"], 1 / (1 + 2j * np.pi * ac.scale * 1e-3), rtol=1e-6)


def test_which_waveforms_is_a_question_when_there_are_two(deck):
    result = run(Job(deck=deck("t\nv1 a 0 dc 1 ac 1\nr1 a 0 1\n.dc v1 0 1 1\n.ac lin 2 1 2\n.end\n")))
    with pytest.raises(CircuitError, match="2 plots"):
        _ = result.waveforms


def test_includes_libraries_and_subcircuits(deck):
    path = deck(".include".join(["includes\nv1 in 0 1\n", " parts/div.lib\n.lib parts/corner.lib slow\n"
                                 "x1 in out div\n.tran 1u 1m\n.save v(out)\n.meas tran o max v(out)\n"
                                 ".meas tran p param={o*scale}\n.end\n"]))
    (path.parent / "parts").mkdir()
    (path.parent / "parts/div.lib").write_text(".subckt div a b\n.include parts/values.inc\n.ends div\n")
    (path.parent / "parts/values.inc").write_text("ra a b 3k\nrb b 0 1k\n")
    (path.parent / "parts/corner.lib").write_text(".lib fast\n.param scale=1\n.endl\n.lib slow\n.param scale=2\n.endl\n")
    result = run(Job(deck=path))
    assert_allclose([result.measure("o"), result.measure("p")], [0.25, 0.5], rtol=1e-6)


def test_a_very_long_card_survives_the_joining(deck):
    points = "\n".join(f"+ {k}u {k % 7}" for k in range(20_000))
    result = run(Job(deck=deck(f"long\nv1 a 0 pwl(\n{points})\nr1 a 0 1\n.tran 1u 20u 0 1u\n.save v(a)\n.end\n")))
    assert_allclose(result.waveforms.resample("v(a)", [3e-6, 9e-6]), [3, 2], rtol=1e-6)


def test_progress_is_live(deck):
    seen = []
    run(Job(deck=deck(LADDER.format(stop="25m"))), lambda fraction, reached: seen.append((time.monotonic(), fraction, reached)))
    assert len(seen) >= 2
    fractions = [fraction for _, fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert 0 < fractions[0] < fractions[-1] <= 1
    assert_allclose([reached for *_, reached in seen], np.array(fractions) * 25e-3, rtol=1e-6)
    assert seen[-1][0] - seen[0][0] > 0.1  # s: they did not arrive together at the end


def test_an_error_of_the_progress_function_ends_the_run(deck):
    def fail(fraction, reached):
        raise RuntimeError("caller's own")

    started = time.monotonic()
    with pytest.raises(RuntimeError, match="caller's own"):
        run(Job(deck=deck(LADDER.format(stop="10"))), fail)
    assert time.monotonic() - started < 5


def test_the_run_is_isolated(deck, monkeypatch, tmp_path):
    path = deck(RC.replace(".options", f"*# shell touch {tmp_path}/owned\n.options"))
    (path.parent / ".spiceinit").write_text(f"shell touch {tmp_path}/owned\nset filetype=ascii\n")
    (path.parent / "spinit").write_text(f"shell touch {tmp_path}/owned\n")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".spiceinit").write_text(f"shell touch {tmp_path}/owned\n")
    for name in ("HOME", "SPICE_USERINIT_DIR", "SPICE_SCRIPTS", "NGSPICE_INPUT_DIR"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("SPICE_ASCIIRAWFILE", "1")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(path.parent)
    before = sorted(p.name for p in path.parent.iterdir())
    log = run(Job(deck="deck.cir")).log
    assert "Optran is deselected" in log  # our own start-up file was read
    assert sorted(p.name for p in path.parent.iterdir()) == before
    assert not (tmp_path / "owned").exists()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith("cosim-run-")]


def test_the_deck_also_runs_by_hand(deck):
    """What a designer types leaves a raw file; the same deck goes through the engine unchanged."""
    import subprocess

    path = deck(RC)
    done = subprocess.run([find_engine().path, "-b", path.name], cwd=path.parent, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=30, check=True)
    assert "t50" in done.stdout
    assert (path.parent / "rc.raw").exists()


def test_run_many_keeps_order_and_the_others(deck):
    good, bad = deck(RC), deck(RC.replace("r1 in out", "r1 in off"), "bad.cir")
    seen = []
    outcomes = run_many([Job(deck=good), Job(deck=bad), Job(deck=good)], workers=2, progress=lambda *done: seen.append(done))
    assert [type(outcome) for outcome in outcomes] == [Result, SimulationError, Result]
    assert outcomes[1].kind is FailureKind.SINGULAR
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert run_many([]) == []


def test_run_many_reports_while_it_runs(deck):
    started, live, kept = [], [], []
    run_many([Job(deck=deck(RC)), Job(deck=deck(LADDER.format(stop="15m"), "long.cir"))], workers=2,
             on_start=started.append, live=lambda number, fraction: live.append((number, fraction)),
             on_result=lambda number, result: kept.append((number, result.deck.name)))
    assert sorted(started) == [0, 1]
    assert kept == [(0, "deck.cir"), (1, "long.cir")]
    assert {number for number, _ in live} == {1}  # the first is over before ngspice says where it is
    assert all(0 < fraction <= 1 for _, fraction in live)


def test_run_many_ends_the_children_when_the_caller_fails(deck):
    def fail(done, total):
        raise RuntimeError("caller's own")

    started = time.monotonic()
    with pytest.raises(RuntimeError, match="caller's own"):
        run_many([Job(deck=deck(RC)), Job(deck=deck(LADDER.format(stop="10"), "long.cir"))], workers=2, progress=fail)
    assert time.monotonic() - started < 5


def test_an_interrupt_while_jobs_are_handed_out_ends_those_that_run(deck, monkeypatch):
    handed, submit = [], ThreadPoolExecutor.submit

    def interrupted(pool, *job):
        if handed:
            raise KeyboardInterrupt
        handed.append(job)
        return submit(pool, *job)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", interrupted)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_many([Job(deck=deck(LADDER.format(stop="10")))] * 2, workers=2)
    assert time.monotonic() - started < 5
    assert handed


@pytest.mark.parametrize("field", ["timeout", "t_stop", "memory_limit", "max_voltage"])
@pytest.mark.parametrize("value", [0, -1, math.inf])
def test_job_refuses_limits_without_meaning(field, value):
    with pytest.raises(CircuitError, match=field):
        Job(deck="x.cir", **{field: value})
