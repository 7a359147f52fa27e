"""A twin from a recording, in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from training.errors import TwinError
from training.trainer import one_thread
from training.twins.fits.adversarial import GAN, fit_adversarial
from training.twins.fits.base import Descent, Samples
from training.twins.fits.energy import ENERGY, fit_energy
from training.twins.fits.likelihood import KALMAN, fit_likelihood
from training.twins.fits.trajectories import FREE_RUNS, ONE_STEP, fit_one_step, fit_trajectories
from training.twins.lstm import LSTMTwin
from training.twins.ode import ODETwin
from training.twins.recording import Recording
from training.twins.sde import SDETwin
from training.twins.twin import Scale, Twin, initial_histories

Progress = Callable[[str, int, int, float], None]  # stage, step, total, loss
METHODS = ("likelihood", "energy", "adversarial")
_STAGES = {"likelihood": (fit_likelihood, KALMAN), "energy": (fit_energy, ENERGY), "adversarial": (fit_adversarial, GAN)}


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """Everything that decides a twin, apart from the recording."""

    kind: str = "sde"  # ode, sde, or lstm with as many parameters as the ODE
    delays: int = 0  # delayed observables in the state, steps
    hidden: int = 24  # neurons of f
    auxiliaries: int = 3  # of the SDE
    noise_hidden: int = 12  # neurons of the network of g_1 and g_a
    method: str = "likelihood"  # how the noise is fitted, one of METHODS
    bistable: bool = False  # f by one step and then with the noise, not by free runs: noise decides the branch
    seed: int = 0
    one_step: Descent = field(default=ONE_STEP)
    free_runs: Descent = field(default=FREE_RUNS)
    noise: Descent | None = None  # None: the method's own
    effort: float = 1.0  # multiplies the steps of every descent; 0.1 for a first look

    def __post_init__(self):
        if self.kind not in ("ode", "sde", "lstm"):
            raise TwinError(f"no twin of kind {self.kind!r}; choose ode, sde or lstm")
        if not self.effort > 0.0:
            raise TwinError(f"effort = {self.effort}; give a number above 0")
        if self.method not in METHODS:
            raise TwinError(f"no fit {self.method!r}; choose {', '.join(METHODS)}")
        if self.delays < 0 or min(self.hidden, self.auxiliaries, self.noise_hidden) < 1:
            raise TwinError(f"delays = {self.delays}, hidden = {self.hidden}, auxiliaries = {self.auxiliaries}, noise_hidden = "
                            f"{self.noise_hidden}; give 0 or more delays and 1 or more of the others")

    def scaled(self, descent: Descent) -> Descent:
        """A descent with the effort's share of its steps."""
        return replace(descent, steps=max(1, round(self.effort * descent.steps)), seed=self.seed)


def empty_twin(recording: Recording, options: FitOptions) -> Twin:
    """A twin with the recording's units, range and initial states, before it is fitted."""
    scale = Scale.of(recording)
    shape = (scale, recording.n_inputs, options.delays, initial_histories(recording, scale, options.delays, seed=options.seed))
    ode = ODETwin(*shape, hidden=options.hidden, seed=options.seed)
    if options.kind == "ode":
        return ode
    if options.kind == "lstm":
        return LSTMTwin.as_large_as(ode.parameters_count, *shape, seed=options.seed)
    return SDETwin(*shape, hidden=options.hidden, n_auxiliaries=options.auxiliaries, noise_hidden=options.noise_hidden,
                   seed=options.seed)


@one_thread()
def fit_twin(recording: Recording, options: FitOptions | None = None, progress: Progress | None = None, *,
             drift: ODETwin | None = None) -> Twin:
    """Fit a twin to all sequences of a recording; hold some out with `Recording.split` first.

    Args:
        drift: an ODE twin that was fitted to this recording by these options; an SDE then takes its f, so that only the noise
            is left to fit.
    Raises:
        RecordingError: an input or observable that never changes, or a device that rails.
        TwinError: the drift has other sizes than the options.
        TrainingError: a loss that is not finite.
    """
    options = options or FitOptions()
    recording.check_drive()
    twin = empty_twin(recording, options)
    samples = Samples.of(recording, twin)

    def stage(name: str):
        return None if progress is None else lambda step, total, loss: progress(name, step, total, loss)

    losses, still = {}, twin  # still: without noise, which is fitted last
    if isinstance(twin, SDETwin):
        still = empty_twin(recording, replace(options, kind="ode"))
    given = isinstance(twin, SDETwin) and drift is not None
    if given:
        still = drift
    if isinstance(still, ODETwin) and not given:
        losses["one_step"] = fit_one_step(still, samples, options.scaled(options.one_step), stage("one step"))
    if not options.bistable and not given:
        losses["free_runs"] = fit_trajectories(still, samples, options.scaled(options.free_runs), stage("free runs"))
    if isinstance(twin, SDETwin):
        if (still.width, still.hidden) != (twin.width, twin.hidden):
            raise TwinError(f"a drift of {still.delays} delays and {still.hidden} neurons for a twin of {twin.delays} and "
                            f"{twin.hidden}; fit it by the same options")
        twin.field.load_state_dict(still.field.state_dict())
        fit, descent = _STAGES[options.method]
        losses[options.method] = fit(twin, samples, options.scaled(options.noise or descent), drift=options.bistable,
                                     progress=stage(options.method))
    twin.device_name = recording.device
    twin.provenance = {"device": recording.device, "origin": recording.origin, "units": recording.units, "seed": options.seed,
                       "method": options.method if options.kind == "sde" else "trajectories",
                       "sequences": recording.sequences, "repeats": recording.repeats, "steps": recording.steps,
                       "losses": losses, "recording": dict(recording.provenance)}
    return twin.eval()
