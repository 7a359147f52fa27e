"""A stimulus in circuit time: the same waveform, every time multiplied."""

import numpy as np
import pytest

from training.stimuli import STIMULI


@pytest.mark.parametrize("stimulus", STIMULI.values(), ids=STIMULI)
@pytest.mark.parametrize("factor", [1.0, 1e-3, 7.0])
def test_stretched(stimulus, factor):
    times = np.linspace(0, 0.3, 1009)
    # atol: rounding of the time within a period, times the steepest slope there is, 2000 a second
    np.testing.assert_allclose(stimulus.stretched(factor)(times * factor), stimulus(times), rtol=0, atol=1e-11)
