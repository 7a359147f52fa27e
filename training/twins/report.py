"""How near a twin is to its device on sequences that it was not fitted on, beside how near the device is to itself.

Both are started in the same observables and driven by the same inputs, with as many repeats. Where a recording has repeats,
half of them are the device that everything is held against and the other half are the floor: what a perfect twin would show
with so few repeats. Fluctuations are what is left of a path when the mean of all repeats is taken out. A recording of one
repeat has no mean; there, fluctuations of device and twin are about the twin's mean, and there is no floor.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch

from training.twins.fits.base import Samples
from training.twins.recording import Recording
from training.twins.twin import Twin

LAGS = 10  # steps, of the autocovariance
FEWEST = 4  # repeats from which the device has a mean and a floor


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Distances from a device, the mean over observables; small is near."""

    one_step: float  # RMS error of one step from the recorded row, standard deviations of the observable
    free_run: float  # RMS error of the mean free run against single repeats, likewise
    mean: float  # mean absolute difference of the means over repeats, standard deviations of the observable
    std: float  # mean relative difference of the standard deviation over repeats, all rows but the first
    autocovariance: float  # relative difference of the fluctuations' autocovariance, lags 0 to LAGS
    spectrum: float  # mean absolute difference of the fluctuations' power density, dB; infinite of a twin without any
    marginal: float  # Wasserstein distance of the values of a row, standard deviations of the fluctuations


def score(twin: Twin, held: Recording, *, seed: int = 0) -> dict[str, Scores | None]:
    """Scores of a twin on held-out sequences, and the floor of the device against itself.

    Returns:
        "twin": its scores; "floor": the device's own, None where there are fewer than FEWEST repeats.
    Raises:
        TwinError: the recording is of another device, or its inputs leave the twin's range; says which and the range.
    """
    twin.check_inputs(held.inputs)
    first = Samples.of(held, twin).first
    half = held.repeats // 2 if held.repeats >= FEWEST else held.repeats
    device, other = held.states[:, :half], held.states[:, half : 2 * half]
    copies = max(half, 64) if half < FEWEST else half
    starts = device[:, np.arange(copies) % half, : first + 1]
    run = twin.run(held.inputs[:, first:], repeats=copies, seed=seed, initial=starts)
    one_step = _one_step(twin, held, first, seed)
    scores = {"twin": _scores(device[:, :, first:], run, one_step, alone=half < FEWEST), "floor": None}
    if len(other[0]) >= FEWEST // 2:
        scores["floor"] = _scores(device[:, :, first:], other[:, :, first:], np.nan, alone=False)
    return scores


def frame(scores: dict[str, Scores | None]) -> pd.DataFrame:
    """A row per entry that is there, a column per figure."""
    return pd.DataFrame({name: asdict(values) for name, values in scores.items() if values is not None}).T


def sampled(held: Recording, twins: dict[str, Twin], *, seed: int = 0) -> pd.DataFrame:
    """Held-out paths of the device and of its twins, a row per sequence, repeat and step, device units.

    Args:
        twins: by the name of their column, e.g. {"ode": ..., "sde": ...}; all started where the device was. Rows that a twin
            needs as its delays before it starts are the device's.
    Returns:
        Columns sequence, repeat, step, input, device and one a twin; with several observables each name ends in its number.
    """
    rows = held.to_frame()
    out = rows[["sequence", "repeat", "step", *(name for name in rows if name.startswith("input"))]].copy()
    values = {"device": held.states}
    for name, twin in twins.items():
        first = Samples.of(held, twin).first
        run = twin.run(held.inputs[:, first:], repeats=held.repeats, seed=seed, initial=held.states[:, :, : first + 1])
        values[name] = np.concatenate([held.states[:, :, :first], run], axis=2)
    for name, states in values.items():
        for k in range(held.n_outputs):
            out[name if held.n_outputs == 1 else f"{name}{k}"] = states[..., k].ravel()
    return out


@torch.no_grad()
def _one_step(twin: Twin, held: Recording, first: int, seed: int) -> float:
    """RMS error from the recorded rows; noise, where the twin has some, is averaged over a few draws."""
    samples, draw = Samples.of(held, twin), torch.Generator().manual_seed(seed)
    y = twin.histories(samples.x)[:, :, first:-1]
    s = samples.s[:, None, first:].expand(-1, held.repeats, -1, -1)
    draws = 16 if twin.kind == "sde" else 1
    guess = sum(twin.newest(twin.step(twin.rested(y, draw), s, draw)) for _ in range(draws)) / draws
    spread = held.states.std((0, 1, 2))
    error = (twin.observed(guess).numpy() - held.states[:, :, first + 1 :]) / spread
    return float(np.sqrt(np.mean(error**2)))


def _scores(device: np.ndarray, run: np.ndarray, one_step: float, *, alone: bool) -> Scores:
    """Device and run (sequences, repeats, rows, n_outputs)."""
    spread = device.std((0, 1, 2))
    mean_run = run.mean(1, keepdims=True)
    mean_device = mean_run if alone else device.mean(1, keepdims=True)
    away_device, away_run = device - mean_device, run - mean_run
    free = np.sqrt(np.mean(((device - mean_run) / spread) ** 2))
    # The mean of few repeats eats a part 1 / repeats of their variance; the same of both where both have as many.
    if alone:
        std = abs(np.sqrt(np.mean(away_run[:, :, 1:] ** 2) / np.mean(away_device[:, :, 1:] ** 2)) - 1.0)
        mean = float(np.mean(np.abs((device - mean_run).mean((0, 1)) / spread)))
        size = np.sqrt(np.mean(away_device[:, :, 1:] ** 2, axis=(0, 1, 2)))
        marginal = _wasserstein((away_device / size)[:, :, 1:], (away_run / size)[:, :, 1:])
    else:
        scale = away_device.std(1)[:, 1:].clip(1e-9 * spread)
        std = np.mean(np.abs(away_run.std(1)[:, 1:] / scale - 1.0))
        mean = np.mean(np.abs((mean_run - mean_device) / spread))
        gap = np.sort(device[:, :, 1:], axis=1) - np.sort(run[:, :, 1:], axis=1)
        marginal = np.mean(np.abs(gap) / scale[:, None])
    ours, theirs = _autocovariance(away_run), _autocovariance(away_device)
    off = np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1).clip(1e-300)
    power, true = (np.mean(np.abs(np.fft.rfft(away, axis=2)) ** 2, axis=(0, 1))[1:] for away in (away_run, away_device))
    silent = not (power > 1e-20 * true).all()  # a twin without noise
    decibels = np.inf if silent else np.abs(10.0 * np.log10(power / true)).mean()
    return Scores(one_step=one_step, free_run=float(free), mean=float(mean), std=float(std), autocovariance=float(off.mean()),
                  spectrum=float(decibels), marginal=float(marginal))


def _autocovariance(away: np.ndarray) -> np.ndarray:
    """(sequences, lags, n_outputs); over all sequences where repeats are few, to have enough to average over."""
    rows = away.shape[2]
    products = [(away[:, :, : rows - k] * away[:, :, k:]).mean((1, 2)) for k in range(min(LAGS, rows - 1) + 1)]
    found = np.stack(products, axis=1)
    return found if away.shape[1] >= FEWEST else found.mean(0, keepdims=True)


def _wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """Of all values of two arrays, by their quantiles."""
    at = np.linspace(0.005, 0.995, 100)
    return float(np.mean(np.abs(np.quantile(a, at) - np.quantile(b, at))))
