"""The pinched hysteresis of the device: current against voltage."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd

from cosim.report.style import TITLES, TRUTH, TWIN, styled
from training.systems.hp_memristor import HPMemristor


@styled
def lissajous(frames: Mapping[str, pd.DataFrame], system: HPMemristor) -> plt.Figure:
    """Device current over device voltage, from the true state and from the twin's state."""
    figure, axes = plt.subplots(1, len(frames), figsize=(13.5, 3.4), squeeze=False)
    for axis, (name, frame) in zip(axes[0], frames.items(), strict=True):
        stimulus = frame["stimulus"].to_numpy()
        for column, look in (("truth", TRUTH), ("twin", TWIN)):
            state = frame[column].to_numpy()
            axis.plot(system.voltage(stimulus, state), 1e3 * system.current(stimulus, state), **look)
        axis.set_title(TITLES.get(name, name))
        axis.set_xlabel("device voltage [V]")
    axes[0, 0].set_ylabel("device current [mA]")
    axes[0, 0].legend(loc="best")
    return figure
