"""Twins of a leaky integrator whose equation is known: fits, scores, checkpoints, and what is refused."""

import numpy as np
import pytest
import torch

from benchmarks.leaky_device import LeakyDevice
from training.errors import CheckpointError, RecordingError, TrainingError, TwinError
from training.twins.fit import FitOptions, empty_twin, fit_twin
from training.twins.fits.adversarial import moment_distance
from training.twins.fits.base import Descent
from training.twins.fits.energy import energy_score
from training.twins.recording import Recording
from training.twins.report import sampled, score
from training.twins.store import load_twin, save_twin

DEVICE = LeakyDevice()
ONE_STEP = Descent(steps=40, batch=32, learning_rate=1e-2)
SHORT = Descent(steps=80, batch=32, learning_rate=1e-2)


def options(**changes):
    return FitOptions(**{"one_step": ONE_STEP, "free_runs": SHORT, "hidden": 12} | changes)


@pytest.fixture(scope="module")
def recording():
    return DEVICE.record(120, 20, 8, seed=1)


@pytest.fixture(scope="module")
def held():
    return DEVICE.record(12, 20, 200, seed=2)


@pytest.fixture(scope="module")
def sde(recording):
    return fit_twin(recording, options(noise=Descent(steps=200, batch=48, learning_rate=1e-2)))


def test_the_equation_devices_noise_does_not_depend_on_its_step():
    """The fixture's own physics: x rests at s with the variance of coloured noise through a leak."""
    still = np.zeros((2, 50, 1))
    runs = [LeakyDevice(corner=np.inf, fine=fine).run(still, repeats=4000, seed=fine)[:, :, 40:, 0] for fine in (16, 64)]
    exact = 0.05 * np.sqrt(0.5 / 1.5)  # sigma tau sqrt(tau_n / (tau + tau_n)); the start has faded to 2 exp(-10)
    for run in runs:
        assert run.std() == pytest.approx(exact, rel=0.03)
    lag = [np.mean(run[:, :, :-2] * run[:, :, 2:]) / run.var() for run in runs]
    assert lag[0] == pytest.approx(lag[1], abs=0.02)


def test_a_linear_device_is_found_again():
    """dx/dt = (s - x) / tau without noise, tau of four steps: J = -1/4 per step, the drive's half range 2 times 1/4."""
    recording = LeakyDevice(sigma=0.0).record(60, 20, 1, seed=1)
    twin = fit_twin(recording, FitOptions(kind="ode", one_step=Descent(steps=50, batch=32, learning_rate=1e-3),
                                          free_runs=Descent(steps=50, batch=32, learning_rate=1e-3)))
    z = torch.tensor([[0.3, -0.4]], dtype=torch.float64)
    _, slope = twin.field.with_slopes(z)
    assert slope.item() == pytest.approx(-0.25, abs=2e-3)
    by_drive = twin.field(z + torch.tensor([[0.0, 0.1]], dtype=torch.float64)) - twin.field(z)
    assert (by_drive / 0.1 * twin.x_std).item() == pytest.approx(0.5, abs=5e-3)  # device units per step
    inputs = np.random.default_rng(7).uniform(-2, 2, (3, 30, 1))
    exact = LeakyDevice(sigma=0.0).run(inputs)
    np.testing.assert_allclose(twin.run(inputs, initial=exact[:, :, :1]), exact, atol=5e-3)  # of inputs of 2


def test_the_sde_has_the_devices_noise_and_the_ode_has_none(recording, held, sde):
    """80 and 200 steps of descent: near the floor of 200 repeats, 0.8 / sqrt(100) = 0.08, but not at it."""
    ours = score(sde, held)
    assert ours["floor"].std == pytest.approx(0.08, abs=0.02)
    assert ours["twin"].std < 0.2
    assert ours["twin"].autocovariance < 0.3
    assert ours["twin"].spectrum < 1.0  # dB
    assert ours["twin"].mean < 3.0 * ours["floor"].mean
    ode = empty_twin(recording, options(kind="ode"))
    ode.field.load_state_dict(sde.field.state_dict())
    without = score(ode, held)["twin"]
    assert without.std > 0.5  # all that is left of it are the different starts
    assert without.one_step < 0.05


def test_the_noise_of_a_fitted_twin_does_not_depend_on_its_solver(held, sde):
    runs = []
    for substeps in (1, 2):
        sde.substeps = substeps
        runs.append(sde.run(held.inputs, repeats=600, seed=substeps))
    sde.substeps = 1
    std = [run.std(1)[:, 5:].mean() for run in runs]
    assert std[1] == pytest.approx(std[0], rel=0.02)
    away = [run - run.mean(1, keepdims=True) for run in runs]
    lag = [np.mean(a[:, :, 5:-2] * a[:, :, 7:]) / a[:, :, 5:].var() for a in away]
    assert lag[1] == pytest.approx(lag[0], abs=0.02)


@pytest.mark.parametrize("method", ["energy", "adversarial"])
def test_other_fits_of_the_noise_improve_on_the_start(recording, held, method):
    few = Descent(steps=40, batch=6, learning_rate=4e-2)
    before = fit_twin(recording, options(noise=Descent(steps=1, batch=8, learning_rate=1e-9)))
    after = fit_twin(recording, options(method=method, noise=few))
    first, last = (score(twin, held)["twin"].std for twin in (before, after))
    assert last < 0.6 * first


def test_noise_decides_the_branch_of_a_bistable_twin_as_often():
    """A double well that is left on its top: dx/dt = x - x^3 + 0.6 s + 0.25 nu. The mean takes neither branch."""
    def run(inputs, repeats, seed):
        draw, h = np.random.default_rng(seed), 0.1
        x = 0.05 * draw.normal(size=(len(inputs), repeats))
        nu, rows = draw.normal(size=x.shape), [x]
        for s in inputs.T:
            for _ in range(5):
                nu = np.exp(-h / 0.5) * nu + np.sqrt(1.0 - np.exp(-2.0 * h / 0.5)) * draw.normal(size=x.shape)
                x = x + h * (x - x**3 + 0.6 * s[:, None] + 0.25 * nu)
            rows.append(x)
        return np.stack(rows, axis=2)[..., None]

    draw = np.random.default_rng(0)
    inputs = draw.uniform(-1, 1, (300, 16))
    inputs[::2] = 0.5 * inputs[::2, :1]
    wells = Recording(inputs=inputs[..., None], states=run(inputs, 8, 1), step_time=0.5, input_range=(-1.0, 1.0))
    twin = fit_twin(wells, options(bistable=True, hidden=24, one_step=Descent(steps=150, batch=48, learning_rate=1e-2),
                                   noise=Descent(steps=250, batch=48, learning_rate=1e-2)))
    truth = run(inputs[:20], 400, 5)
    ours = twin.run(inputs[:20, :, None], repeats=400, seed=3, initial=truth[:, :, :1])
    up, expected = ((paths[:, :, -1, 0] > 0).mean(1) for paths in (ours, truth))
    assert expected.min() < 0.2
    assert expected.max() > 0.8
    assert np.abs(up - expected).mean() < 0.05


def test_an_energy_score_and_moments_are_least_for_the_right_spread():
    draw = torch.Generator().manual_seed(0)
    truth = torch.randn(4, 300, 6, 1, generator=draw, dtype=torch.float64)
    runs = {size: size * torch.randn(4, 300, 6, 1, generator=draw, dtype=torch.float64) for size in (0.5, 1.0, 2.0)}
    for distance in (energy_score, moment_distance):
        far = {size: distance(run, truth).item() for size, run in runs.items()}
        assert far[1.0] < min(far[0.5], far[2.0])


def test_an_adversary_needs_repeats(recording):
    one = Recording(inputs=recording.inputs, states=recording.states[:, :1], step_time=0.25)
    tiny = Descent(steps=1, batch=4, learning_rate=1e-3)
    with pytest.raises(RecordingError, match="compares repeats .* and the recording has one"):
        fit_twin(one, FitOptions(method="adversarial", one_step=tiny, free_runs=tiny))


def test_an_lstm_of_as_many_parameters_learns_too(recording, held):
    chosen = options(kind="lstm", free_runs=Descent(steps=100, batch=24, learning_rate=2e-2))
    ode = empty_twin(recording, options(kind="ode"))
    twin = empty_twin(recording, chosen)
    assert twin.parameters_count == pytest.approx(ode.parameters_count, rel=0.4)
    assert score(fit_twin(recording, chosen), held)["twin"].free_run < 0.4  # 1 is what the mean alone would do


def test_delays_reach_back(recording):
    """A device that answers two steps late: without delays a twin cannot know, with them it can."""
    draw = np.random.default_rng(0)
    inputs = draw.uniform(-1, 1, (80, 16, 1))
    x = np.zeros((80, 1, 17, 2))
    for k in range(16):
        x[:, 0, k + 1, 0] = inputs[:, k, 0]
        x[:, 0, k + 1, 1] = x[:, 0, k - 1, 0] if k else 0.0
    late = Recording(inputs=inputs, states=x, step_time=1.0)
    errors = {}
    for delays in (0, 2):
        few = Descent(steps=30, batch=32, learning_rate=1e-2)
        twin = fit_twin(late, options(kind="ode", delays=delays, one_step=few, free_runs=few))
        errors[delays] = score(twin, late)["twin"].free_run
    assert errors[2] < 0.3 * errors[0]


def test_a_file_gives_back_the_same_twin(tmp_path, sde, held):
    path = save_twin(tmp_path / "sde.npz", sde)
    back = load_twin(path)
    np.testing.assert_array_equal(back.run(held.inputs, seed=3), sde.run(held.inputs, seed=3))
    assert back.provenance["device"] == "leaky"
    assert path.read_bytes() == save_twin(tmp_path / "again.npz", sde).read_bytes()


def test_damaged_files_say_what_is_wrong(tmp_path, sde):
    path = save_twin(tmp_path / "sde.npz", sde)
    with pytest.raises(CheckpointError, match="does not exist"):
        load_twin(tmp_path / "none.npz")
    (tmp_path / "cut.npz").write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="is damaged"):
        load_twin(tmp_path / "cut.npz")
    arrays = dict(np.load(path))
    np.savez(tmp_path / "nan.npz", **arrays | {"mix": np.full_like(arrays["mix"], np.nan)})
    with pytest.raises(CheckpointError, match="mix holds a value that is not a finite number"):
        load_twin(tmp_path / "nan.npz")
    np.savez(tmp_path / "short.npz", **arrays | {"mix": arrays["mix"][:, :1]})
    with pytest.raises(CheckpointError, match="is inconsistent .*mix"):
        load_twin(tmp_path / "short.npz")
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(CheckpointError, match="no checkpoint of a twin"):
        load_twin(tmp_path / "other.npz")


def test_inputs_outside_the_range_are_refused_with_the_range(sde):
    inputs = np.zeros((2, 5, 1))
    inputs[1, 3] = 2.4
    with pytest.raises(TwinError, match=r"input 2.4 at index \(1, 3, 0\) is outside \[-2, 2\], the range .* of 'leaky'"):
        sde.run(inputs)
    inputs[1, 3] = np.nan
    with pytest.raises(TwinError, match="input nan"):
        sde.run(inputs)
    with pytest.raises(TwinError, match=r"give \(..., steps, 1\)"):
        sde.run(np.zeros((2, 5, 2)))


def test_recordings_and_options_that_fit_no_twin(recording, sde, held):
    with pytest.raises(RecordingError, match="input is 1 in every row"):
        fit_twin(Recording(inputs=np.ones_like(recording.inputs), states=recording.states, step_time=0.25))
    with pytest.raises(TwinError, match="fit a twin to it"):
        score(sde, Recording(inputs=held.inputs, states=held.states, step_time=0.5))
    with pytest.raises(TwinError, match="no fit 'guess'; choose likelihood"):
        FitOptions(method="guess")
    with pytest.raises(TrainingError, match="the loss became .*; lower the learning rate"):
        fit_twin(recording, FitOptions(kind="ode", one_step=Descent(steps=60, batch=4, learning_rate=1e200)))


def test_paths_of_device_and_twins_stand_side_by_side(held, sde):
    rows = sampled(held, {"sde": sde})
    assert list(rows.columns) == ["sequence", "repeat", "step", "input", "device", "sde"]
    start = rows[rows["step"] == 0]
    np.testing.assert_allclose(start["sde"], start["device"], atol=1e-12)
    assert len(rows) == 12 * 200 * 21
