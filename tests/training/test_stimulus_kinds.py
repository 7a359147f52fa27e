"""Kinds of stimulus against formulas and figures from elsewhere, arithmetic, functions, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from training.errors import StimulusError
from training.stimuli import (
    Chirp,
    Constant,
    Function,
    Noise,
    Product,
    PulseTrain,
    Ramp,
    Sampled,
    Scaled,
    Sine,
    Step,
    Stimulus,
    Sum,
    as_stimulus,
)

GRID = np.linspace(0.0, 1.0, 2001)
PULSES = {"low": -1.0, "high": 2.0, "delay": 0.1, "rise": 0.02, "fall": 0.04, "width": 0.1, "period": 0.3}

DRAW = np.random.default_rng(0)


def test_a_step_a_ramp_and_pulses_at_their_corners():
    step = Step(before=1.0, after=-1.0, time=0.2, rise=0.1)
    assert [step(t) for t in (0.0, 0.2, 0.25, 0.3, 9.0)] == pytest.approx([1.0, 1.0, 0.0, -1.0, -1.0])
    np.testing.assert_allclose(step.breakpoints(1.0), [0.2, 0.3])
    ramp = Ramp(slope=2.0, initial=0.5, begin=0.1, end=0.4)
    assert [ramp(t) for t in (0.0, 0.1, 0.2, 0.4, 9.0)] == pytest.approx([0.5, 0.5, 0.7, 1.1, 1.1])
    np.testing.assert_array_equal(Ramp(slope=1.0)(GRID), GRID)
    pulses = PulseTrain(**PULSES)
    at = {0.05: -1.0, 0.11: 0.5, 0.12: 2.0, 0.22: 2.0, 0.24: 0.5, 0.26: -1.0, 0.39: -1.0, 0.41: 0.5, 0.45: 2.0}
    assert [pulses(t) for t in at] == pytest.approx(list(at.values()))
    np.testing.assert_allclose(pulses.breakpoints(0.45), [0.1, 0.12, 0.22, 0.26, 0.4, 0.42])


def test_pulses_that_follow_each_other_without_a_rest():
    saw = PulseTrain(rise=0.1, fall=0.1, width=0.1, period=0.3)
    assert len(saw.breakpoints(0.9)) == 8
    assert saw.stretched(1 / 3).breakpoints(0.3)[:3] == pytest.approx([0.1 / 3, 0.2 / 3, 0.1])


def test_a_chirp_is_scipys():
    for law, start, stop in (("linear", 3.0, 20.0), ("linear", 20.0, 3.0), ("logarithmic", 2.0, 50.0)):
        chirp = Chirp(amplitude=0.7, bias=0.1, start=start, stop=stop, sweep=1.0, law=law)
        expected = 0.1 + 0.7 * signal.chirp(GRID, f0=start, t1=1.0, f1=stop, method=law, phi=-90)
        np.testing.assert_allclose(chirp(GRID), expected, rtol=0, atol=1e-12)
    after = 1.0 + np.linspace(0.0, 0.1, 4001)  # it stays at 50 Hz: ten crossings of the bias in 0.1 s
    assert np.count_nonzero(np.diff(np.sign(chirp(after) - 0.1))) == 10


def test_noise_has_the_density_that_it_states():
    noise = Noise(density=4e-3, bandwidth=50.0, seed=5, bias=0.2)
    samples = noise.resolved(400.0)
    rate = 50.0 * 128
    frequency, density = signal.welch(samples(np.arange(0.0, 400.0, 1 / rate)) - 0.2, fs=rate, nperseg=8192)
    band = (frequency > 2.0) & (frequency < 0.9 * 50.0)
    # 600 averages: a bin is off by 4 % (one standard deviation), their mean by half a percent
    assert density[band].mean() == pytest.approx(4e-3, rel=0.02)
    np.testing.assert_allclose(density[band], 4e-3, rtol=0.2)
    assert density[(frequency > 1.15 * 50.0) & (frequency < 5 * 50.0)].max() < 1e-5 * 4e-3
    assert density[frequency > 6 * 50.0].max() < 10 ** (-3.3) * 4e-3  # images by the straight lines
    assert density[np.argmin(np.abs(frequency - 50.0))] == pytest.approx(1e-3, rel=0.3)  # a quarter at the bandwidth
    assert samples.values.std() == pytest.approx(np.sqrt(4e-3 * 50.0), rel=0.03)
    assert samples.values.mean() == pytest.approx(0.2, abs=4 * np.sqrt(4e-3 / 2 / 400.0))
    of_rms = Noise.of_rms(0.3, bandwidth=20.0, seed=1).resolved(3000.0)
    # 120 000 independent values: 0.2 % (one standard deviation)
    assert of_rms(np.random.default_rng(0).uniform(0, 3000, 400_000)).std() == pytest.approx(0.3, rel=0.008)


def test_noise_is_its_seed():
    noise = Noise(density=1.0, bandwidth=10.0, seed=1)
    short, long = noise.resolved(1.0), noise.resolved(3.0)
    assert short == Noise(density=1.0, bandwidth=10.0, seed=1).resolved(1.0)
    np.testing.assert_allclose(long.values[: len(short.values)], short.values, atol=1e-12)  # goes on where the shorter ends
    assert np.abs(np.corrcoef(long.values, Noise(density=1.0, bandwidth=10.0, seed=2).resolved(3.0).values)[0, 1]) < 0.5
    # numpy's own numbers, filtered: nothing else is drawn
    np.testing.assert_allclose(np.diff(short.times), 1 / 80.0)


@pytest.mark.parametrize(("make", "says"), [
    (lambda: Constant(value=np.nan), "constant: value = nan; all must be finite"),
    (lambda: Constant(value="high"), "constant: value = high"),
    (lambda: Step(time=0.1, rise=0.0), "step: time = 0.1 s, rise = 0.0 s; .* no infinite slope"),
    (lambda: Step(time=-0.1, rise=0.1), "a step starts at 0 s or later"),
    (lambda: Ramp(slope=np.inf), "ramp: slope = inf"),
    (lambda: Ramp(slope=1.0, begin=0.3, end=0.3), "ramp: begin = 0.3 s, end = 0.3 s"),
    (lambda: PulseTrain(**{**PULSES, "period": 0.1}), "pulse_train: rise, width and fall last 0.16 s, the period is 0.1 s"),
    (lambda: PulseTrain(**{**PULSES, "width": 0.0}), "pulse_train: .*width = 0.0 s; .*SPICE takes a 0 for a number of its own"),
    (lambda: Chirp(amplitude=1.0, start=-1.0, stop=2.0, sweep=1.0), "chirp: start = -1.0 Hz"),
    (lambda: Chirp(amplitude=1.0, start=0.0, stop=2.0, sweep=1.0, law="logarithmic"), "a logarithmic sweep has no end at 0 Hz"),
    (lambda: Chirp(amplitude=1.0, start=1.0, stop=2.0, sweep=1.0, law="cubic"), "law 'cubic'; it is one of linear"),
    (lambda: Chirp(amplitude=1.0, start=1.0, stop=2.0, sweep=1.0, error=0.0), "error = 0.0; a part of the signal's range"),
    (lambda: Noise(density=-1.0, bandwidth=1.0, seed=1), "noise: density = -1.0 per Hz"),
    (lambda: Noise(density=1.0, bandwidth=1.0, seed=1.5), "the seed a whole number"),
    (lambda: Sum(stimuli=(Sine(),)), "sum of 1 stimuli; give two or more"),
    (lambda: Product(stimuli=(Sine(), 2.0)), "product: float is no stimulus; make it one with as_stimulus"),
    (lambda: Scaled(factor=np.nan, stimulus=Sine()), "scaled: factor = nan"),
    (lambda: Function(3.0), "function: float cannot be called"),
    (lambda: Function(np.sin, finest=0.0), "finest = 0.0 s; it must be above 0 s"),
])
def test_refuses_parameters_without_a_waveform(make, says):
    with pytest.raises(StimulusError, match=says):
        make()


def test_arithmetic():
    a, b = Sine(amplitude=0.4, bias=0.1, period=0.3), Ramp(slope=2.0)
    u, v = a(GRID), 2 * GRID
    for stimulus, expected in ((a + b, u + v), (a - b, u - v), (2 * a, 2 * u), (a * b, u * v), (a + 1, u + 1), (1 - a, 1 - u),
                               (-a, -u), (a / 4, u / 4), (np.float64(0.5) * a, 0.5 * u), (a * np.float32(0.5), 0.5 * u),
                               (a + b + a, 2 * u + v)):
        assert isinstance(stimulus, Stimulus)
        np.testing.assert_allclose(stimulus(GRID), expected, atol=1e-14)
    assert isinstance(a + b, Sum)
    assert len((a + b + a).stimuli) == 3
    assert isinstance(a * 2, Scaled)
    for wrong in (lambda: a + "b", lambda: a * [1.0], lambda: a - None, lambda: a / b, lambda: "b" - a, lambda: np.ones(3) * a):
        with pytest.raises(TypeError):
            wrong()


def test_a_sum_of_sources_stays_a_series_of_sources():
    total = Sine(amplitude=1.0, bias=0.0, period=0.5) + 0.5 * PulseTrain(**PULSES) + 0.25
    sources = total.resolved(1.0).spice_sources(2.0, 0.0, 1.0)
    assert [source.partition("(")[0] for source in sources] == ["sin", "pulse", "dc 0.5"]
    assert sources[1].startswith("pulse(-1.0 2.0 ")


@pytest.mark.parametrize(("function", "error", "most"), [
    (lambda t: np.sin(7 * t) * np.exp(-t), 1e-4, 300),
    (lambda t: np.sin(7 * t) * np.exp(-t), 1e-6, 3000),
    (lambda t: torch.sin(torch.as_tensor(7 * t)), 1e-4, 300),
    (lambda t: torch.sin(7 * t), 1e-3, 100),  # takes tensors alone
    (lambda t: np.array([t**2]), 1e-4, 100),
    (lambda t: 1.0 if t > 0.3 else 0.0, 1e-4, 4),
    (lambda t: np.sqrt(t), 1e-4, 300),
    (lambda t: 5, 1e-4, 2),
    (lambda t: abs(np.sin(60 * t)), 1e-4, 6000),
    (lambda t: np.sin(2 * np.pi * 512 * t), 1e-2, 20_000),  # a period is what a first stretch is
    (lambda t: 1e9 + np.sin(7 * t), 1e-3, 100),
])
def test_a_function_is_sampled_to_its_error(function, error, most):
    sampled = Function(function, error=error).resolved(1.0)
    times = np.random.default_rng(0).uniform(0.0, 1.0, 5000)
    values = np.array([float(np.asarray(Function(function)(t)).squeeze()) for t in times])
    jump = (times > 0.3 - 2e-6) & (times < 0.3 + 2e-6) & (np.ptp(values) == 1.0) & (len(np.unique(values)) == 2)
    off = np.abs(sampled(times) - values)[~jump].max()
    span = np.ptp(values)
    assert off <= error * span * 1.01 + 1e-12 * np.abs(values).max()
    assert sampled.error <= error * span * 1.01 + 1e-12 * np.abs(values).max()
    assert 2 <= len(sampled.times) <= most
    assert (sampled.times[0], sampled.times[-1]) == (0.0, 1.0)


def test_a_spike_is_seen_where_something_points_at_it():
    def spike(t):
        return max(0.0, 1.0 - abs(t - 0.12374) / 1e-4)  # 0.2 ms wide, in 1 s

    assert Function(spike).resolved(1.0)(0.12374) == 0.0  # between two of 512 stretches and what is looked at in them
    for how in ({"corners": (0.12364, 0.12374, 0.12384)}, {"finest": 2e-4}):
        assert Function(spike, **how).resolved(1.0)(0.12374) == pytest.approx(1.0, abs=2e-4)


@pytest.mark.parametrize(("function", "says"), [
    (lambda t: np.nan if t > 0.5 else 1.0, r"function <lambda> gives nan at t = 0.50\d+ s"),
    (lambda t: (t, t), r"gives \(0.0, 0.0\) at t = 0 s; let it return one finite number"),
    (lambda t: None, "gives None at t = 0 s"),
    (lambda t: "high", "gives 'high' at t = 0 s, which is no number"),
    (lambda t, y: t, r"function <lambda> cannot be called with a time of 0 s .*missing 1 required positional argument"),
    (lambda t: DRAW.normal(), "function <lambda> gives .* when it is asked again; give Noise"),
    (lambda t: np.sin(1e9 * t), "function <lambda>: more than 500000 samples are needed over 1 s to be within 0.0001"),
    (lambda t: float(int(t * 2999) % 2), "jumps at more than 1000 places, one of them t = "),
])
def test_a_function_that_is_no_signal_is_refused(function, says):
    with pytest.raises(StimulusError, match=says):
        Function(function).resolved(1.0)


def test_an_error_of_the_functions_own_stays_what_it_is():
    with pytest.raises(ZeroDivisionError):
        Function(lambda t: 1 / t).resolved(1.0)


class Decaying(Sine):
    """A subclass that changes the value, and keeps name, fields and sources of a sine."""

    def _value(self, t):
        return super()._value(t) * np.exp(-3.0 * t)


class Own(Stimulus):
    """The least that a stimulus of one's own needs."""

    def _value(self, t):
        return np.where(t < 0.4, 0.0, (t - 0.4) ** 2)

    def breakpoints(self, t_stop):
        return np.array([0.4])


@pytest.mark.parametrize("stimulus", [Decaying(period=0.2), Own(), Own() + Decaying(), 2.0 * Own()])
def test_a_class_of_ones_own_is_sampled(stimulus):
    resolved = stimulus.resolved(1.0)
    np.testing.assert_allclose(resolved(GRID), stimulus(GRID), rtol=0, atol=1.1e-4 * np.ptp(stimulus(GRID)) + 1e-12)
    assert "Decaying" not in str(type(resolved))
    if not isinstance(resolved, Sum | Scaled):
        assert isinstance(resolved, Sampled)
        assert resolved.source == type(stimulus).__name__
    np.testing.assert_allclose(Own().integral(np.array([1.0])), 0.6**3 / 3, atol=1e-4)
    assert Own().spice_sources(1.0, 0.0, 1.0)[0].startswith("pwl(")
    assert Own().stretched(2.0)(1.6) == pytest.approx(0.16)


@pytest.mark.parametrize(("value", "expected"), [
    (3, Constant(value=3.0)),
    (np.float32(0.5), Constant(value=0.5)),
    (np.array(0.5), Constant(value=0.5)),
    (torch.tensor(0.5), Constant(value=0.5)),
    (([0.0, 1.0], [2.0, 3.0]), Sampled(times=[0, 1], values=[2, 3])),
    ((np.array([0.0, 1.0, 2.0]), torch.tensor([2.0, 3.0, 4.0])), Sampled(times=[0, 1, 2], values=[2, 3, 4])),
    (np.array([[0.0, 2.0], [1.0, 3.0]]), Sampled(times=[0, 1], values=[2, 3])),
    (torch.tensor([[0.0, 2.0], [1.0, 3.0], [2.0, 4.0]]), Sampled(times=[0, 1, 2], values=[2, 3, 4])),
    (pd.Series([2.0, 3.0], index=[0.0, 1.0], name="u"), Sampled(times=[0, 1], values=[2, 3], source="series u")),
    (np.sin, Function(np.sin)),
    (Sine(), Sine()),
])
def test_what_a_user_gives_becomes_a_stimulus(value, expected):
    assert as_stimulus(value) == expected


@pytest.mark.parametrize(("value", "says"), [
    (None, "NoneType is no stimulus; give a Stimulus, e.g. Sine"),
    ("drive.csv", r"'drive.csv' is a name; read a file with Sampled.from_file"),
    (np.zeros(5), r"ndarray of shape \(5,\); for samples at a rate give Sampled.at_rate\(values, rate=...\) is no stimulus"),
    (np.zeros((5, 3)), r"ndarray of shape \(5, 3\) is no stimulus"),
    (np.zeros((2, 5)), r"ndarray of shape \(2, 5\) is no stimulus; .*an array of shape \(n, 2\) with the times"),
    ([1.0, 2.0, 3.0], "list of 3 is no stimulus"),
    (Sine, "is no stimulus"),
    (pd.DataFrame({"a": [1.0]}), "a pandas DataFrame may hold several signals; give one column"),
    ({"t": 1}, "dict is no stimulus"),
])
def test_what_is_no_stimulus_is_refused_with_what_is_accepted(value, says):
    with pytest.raises(StimulusError, match=says):
        as_stimulus(value)


numbers = st.floats(-3.0, 3.0).map(lambda x: round(x, 3))
simple = st.one_of(
    st.builds(Sine, amplitude=numbers, bias=numbers, period=st.sampled_from([0.1, 0.37, 2.0])),
    st.builds(Constant, value=numbers),
    st.builds(Ramp, slope=numbers, initial=numbers, begin=st.sampled_from([0.0, 0.4])),
    st.builds(Step, before=numbers, after=numbers, time=st.sampled_from([0.0, 0.3]), rise=st.sampled_from([0.01, 0.5])),
    st.lists(numbers, min_size=2, max_size=9).map(lambda v: Sampled(times=np.linspace(0.0, 1.0, len(v)), values=v)))


@given(a=simple, b=simple, c=numbers)
def test_sums_and_products_are_those_of_their_values(a, b, c):
    total = (a + c * b - 1.0).resolved(1.0)
    np.testing.assert_allclose(total(GRID), a(GRID) + c * b(GRID) - 1.0, atol=1e-12)
    np.testing.assert_allclose(total.integral(GRID), a.integral(GRID) + c * b.integral(GRID) - GRID, atol=1e-12)
    product = (a * b).resolved(1.0)
    values = a(GRID) * b(GRID)
    assert np.abs(product(GRID) - values).max() <= 1.02 * product.error + 1e-12
    assert product.error <= 1.01e-4 * max(np.ptp(values), np.ptp(product.values)) + 1e-11
