"""Metrics against answers by hand."""

import numpy as np
import pytest

from cosim.comparison.metrics import waveform_error
from cosim.errors import ResultsError


def test_by_hand():
    # errors 0, 1, 1; expected 0, 2, 4: the floor is 1 % of 4; relative 0, 1/2, 1/4
    e = waveform_error(np.array([0.0, 2.0, 4.0]), np.array([0.0, 1.0, 5.0]))
    assert e.mre_floor == pytest.approx(0.04)
    assert e.mre == pytest.approx(0.25)
    assert e.l1 == pytest.approx(2 / 3)
    assert e.max == pytest.approx(1.0)
    assert e.rmse == pytest.approx((2 / 3) ** 0.5)


def test_dtw_is_the_plain_recursion():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=40), rng.normal(size=40)
    d = np.full((41, 41), np.inf)
    d[0, 0] = 0.0
    for i in range(40):
        for j in range(40):
            d[i + 1, j + 1] = abs(x[i] - y[j]) + min(d[i, j], d[i, j + 1], d[i + 1, j])
    e = waveform_error(x, y)
    assert e.dtw == pytest.approx(d[40, 40])
    assert 40 <= e.dtw / e.dtw_per_step <= 79  # path steps


def test_a_delay_costs_dtw_less_than_l1():
    t = np.linspace(0, 1, 200)
    e = waveform_error(np.sin(9 * t), np.sin(9 * (t - 0.01)))
    assert e.dtw_per_step < 0.3 * e.l1


def test_same_waveform_has_no_error():
    e = waveform_error(np.arange(5.0), np.arange(5.0))
    assert (e.mre, e.l1, e.max, e.rmse, e.dtw, e.dtw_per_step) == (0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(("x", "y", "says"), [
    (np.ones(3), np.ones(4), "one length"),
    (np.ones(3), np.array([1, np.nan, 1]), "sample 1 is not finite"),
    (np.zeros(3), np.ones(3), "zero throughout"),
    (np.ones(0), np.ones(0), "one length"),
])
def test_refuses(x, y, says):
    with pytest.raises(ResultsError, match=says):
        waveform_error(x, y)
