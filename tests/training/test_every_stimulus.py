"""What all kinds of stimulus have in common: value, integral, breakpoints, stretching, and ngspice's waveform."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from circuits.engine.job import Job
from circuits.engine.run import run
from training.stimuli import KINDS, Sampled

from .every_kind import KINDS_OF, SAMPLED, SINES, T_STOP

every = pytest.mark.parametrize("name", KINDS_OF)
GRID = np.linspace(0.0, T_STOP, 3001)


def test_every_kind_is_here():
    assert {stimulus.name for stimulus in KINDS_OF.values()} == set(KINDS)


@every
def test_tensor_array_and_float_agree(name):
    stimulus = KINDS_OF[name]
    times = np.linspace(-0.01, T_STOP, 41)
    array = stimulus(times)
    assert array.shape == times.shape
    assert array.dtype == np.float64
    np.testing.assert_array_equal(stimulus(torch.from_numpy(times)).numpy(), array)
    # relative: the last digit, where numpy rounds arrays and numbers differently
    np.testing.assert_allclose([stimulus(float(t)) for t in times], array, rtol=1e-14, atol=1e-15)
    assert isinstance(stimulus(0.01), float)
    assert stimulus(-1.0) == stimulus(0.0)
    assert stimulus(times[:40].reshape(2, 20)).shape == (2, 20)


@every
def test_integral_is_that_of_the_value(name):
    stimulus = KINDS_OF[name]
    seen = stimulus.resolved(T_STOP) if name in {"function", "product", "stretched function"} else stimulus
    for end in (0.004, 0.1, T_STOP):
        corners = [0.0, *seen.breakpoints(end), end]
        area = sum(quad(seen, a, b, epsabs=1e-13, epsrel=1e-12)[0] for a, b in pairwise(corners))
        assert seen.integral(np.array([end]))[0] == pytest.approx(area, abs=1e-10)  # model units * s
    assert seen.integral(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
    several = seen.integral(GRID[::300])
    np.testing.assert_allclose(several, [seen.integral(GRID[k : k + 1])[0] for k in range(0, len(GRID), 300)], rtol=1e-12,
                               atol=1e-15)


@pytest.mark.parametrize("name", [name for name in KINDS_OF if name not in SINES])
def test_between_breakpoints_nothing_bends(name):
    """What is resolved and no sine has straight lines; a straight line's middle is the mean of its ends."""
    stimulus = KINDS_OF[name].resolved(T_STOP)
    corners = np.array([0.0, *stimulus.breakpoints(T_STOP), T_STOP])
    assert (np.diff(corners) > 0).all()
    middles = 0.5 * (corners[1:] + corners[:-1])
    ends = stimulus(corners)
    # model units: an edge of 0.1 ms at 0.2 s may be off by 1e-16 of the time
    np.testing.assert_allclose(stimulus(middles), 0.5 * (ends[1:] + ends[:-1]), rtol=0, atol=1e-11)


@every
@pytest.mark.parametrize("factor", [1e-3, 7.0])
def test_stretching_multiplies_every_time(name, factor):
    stimulus = KINDS_OF[name]
    stretched = stimulus.stretched(factor)
    # model units: rounding of a time, times the steepest slope of 2000 per s
    np.testing.assert_allclose(stretched(GRID * factor), stimulus(GRID), rtol=0, atol=1e-10)
    np.testing.assert_allclose(stretched.breakpoints(T_STOP * factor), stimulus.breakpoints(T_STOP) * factor, rtol=1e-9)


@every
def test_what_is_resolved_is_the_stimulus_itself_or_within_its_error(name):
    stimulus = KINDS_OF[name]
    resolved = stimulus.resolved(T_STOP)
    assert resolved.resolved(T_STOP) == resolved
    values = stimulus(GRID)
    off = np.abs(resolved(GRID) - values).max()
    if name not in SAMPLED:
        assert off < 1e-14
        return
    assert isinstance(resolved, Sampled)
    span = np.ptp(values)
    assert 0.0 < resolved.error <= 1e-4 * span * (1 + 1e-3)  # the range is seen at other points than here
    assert off <= 1.02 * resolved.error  # it was looked at at other points, three or more in a stretch


@every
@pytest.mark.parametrize("delay", [0.0, 0.005])
def test_ngspice_generates_the_same_waveform(name, delay, tmp_path):
    stimulus = KINDS_OF[name].resolved(T_STOP)
    volts = 1.3
    sources = stimulus.spice_sources(volts, delay, T_STOP)
    assert sources == KINDS_OF[name].spice_sources(volts, delay, T_STOP)
    nodes = ["n0", *(f"n{k}" for k in range(1, len(sources))), "0"]
    cards = (f"v{k} {nodes[k]} {nodes[k + 1]} {source}" for k, source in enumerate(sources))
    (tmp_path / "s.cir").write_text("\n".join(["stimulus", *cards, "r1 n0 0 1k", ".options klu",
                                               f".tran 1e-4 {delay + T_STOP} 0 1e-4", ".save v(n0)", ".end", ""]))
    waves = run(Job(deck=tmp_path / "s.cir")).waveforms
    assert waves.time[-1] == pytest.approx(delay + T_STOP)
    # V: rounding of a time of 0.2 s in 1e-16, on an edge of 10 V in 0.1 ms, and of the sum of several sources
    np.testing.assert_allclose(waves["v(n0)"], volts * stimulus(waves.time - delay), rtol=0, atol=1e-9)


@every
def test_a_stimulus_is_equal_to_its_like_and_has_a_hash(name):
    stimulus, again = KINDS_OF[name].resolved(T_STOP), KINDS_OF[name].resolved(T_STOP)
    assert stimulus == again
    assert hash(stimulus) == hash(again)
    assert stimulus != stimulus.stretched(2.0) or name == "constant"
