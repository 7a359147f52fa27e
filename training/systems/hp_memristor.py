"""The HP memristor with linear ionic drift, driven by a current or by a voltage.

Strukov, Snider, Stewart, Williams, "The missing memristor found", Nature 453, 80 (2008), eqs 5-7;
Radwan, Zidan, Salama, "HP memristor mathematical model for periodic signals and DC", MWSCAS (2010), which integrates
both drives in closed form. With x = w/D and q the charge through the device,

    v = M(x) i,  M(x) = R_on x + R_off (1 - x),  dx/dt = polarity * kappa * i,  kappa = mu_v R_on / D^2.

Current drive: x = x0 + polarity * kappa * q, linear in the charge. Voltage drive: the flux is quadratic in x.
The window function is 1, so that the model holds only for 0 < x < 1; a run that leaves this interval is refused.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from training.errors import PhysicsError
from training.integrate import integrate
from training.stimuli import Stimulus
from training.systems.base import Trajectory


@dataclass(frozen=True, kw_only=True)
class HPMemristor(ABC):
    """What both drives have in common. The state in model units is y = 0.5 * x / x_max."""

    r_on: float = 100.0  # ohm
    r_off: float = 16e3  # ohm
    mobility: float = 1e-14  # m^2/(V s), Strukov 2008
    thickness: float = 10e-9  # m, Strukov 2008
    x0: float  # w/D at t = 0
    x_max: float  # largest w/D of the sine run; the same for all stimuli
    polarity: int  # +1: a positive current widens the doped region; -1: it shrinks it
    unit: float  # A or V per model unit of stimulus
    drive: ClassVar[str]
    state_names: ClassVar[tuple[str, ...]] = ("y",)

    def __post_init__(self):
        if not 0.0 < self.r_on < self.r_off:
            raise PhysicsError(f"R_on = {self.r_on} ohm must lie between 0 and R_off = {self.r_off} ohm")
        if not 0.0 < self.x0 < 1.0 or not 0.0 < self.x_max < 1.0:
            raise PhysicsError(f"x0 = {self.x0}, x_max = {self.x_max}; w/D must lie inside (0, 1)")

    @property
    def name(self) -> str:
        return f"hp_memristor_{self.drive}"

    @property
    def kappa(self) -> float:
        """dx/dt per ampere [1/C]. It is 1e4, so that k = 10 /s for a model unit of 1 mA."""
        return self.mobility * self.r_on / self.thickness**2

    def initial_state(self) -> np.ndarray:
        return np.array([0.5 * self.x0 / self.x_max])

    def grid(self) -> np.ndarray:
        return np.linspace(0.0, 0.5, 500)

    def width(self, state: np.ndarray) -> np.ndarray:
        """w/D from the state in model units."""
        return state * self.x_max / 0.5

    def memristance(self, x: np.ndarray) -> np.ndarray:
        """M [ohm] at w/D = x."""
        return self.r_on * x + self.r_off * (1.0 - x)

    @abstractmethod
    def current(self, stimulus: np.ndarray, state: np.ndarray) -> np.ndarray:
        """Device current [A] for a stimulus and a state in model units, of the same shape."""

    def voltage(self, stimulus: np.ndarray, state: np.ndarray) -> np.ndarray:
        """Device voltage [V] for a stimulus and a state in model units, of the same shape."""
        return self.memristance(self.width(state)) * self.current(stimulus, state)

    def rhs(self, stimulus: float, state: np.ndarray) -> np.ndarray:
        return 0.5 / self.x_max * self.polarity * self.kappa * self.current(stimulus, state)

    @abstractmethod
    def closed_form(self, stimulus: Stimulus, t: np.ndarray) -> np.ndarray:
        """State (m,) in model units from the exact charge or flux of the stimulus; NaN where x would leave (0, 1)."""

    def solve(self, stimulus: Stimulus, t: np.ndarray | None = None) -> Trajectory:
        """Ground truth by integration at rtol 1e-11. It is independent of `closed_form`, with which the tests check it.

        Raises:
            PhysicsError: w/D leaves (0, 1), where linear drift has no meaning; names the time.
        """
        t = self.grid() if t is None else np.asarray(t, dtype=np.float64)
        state = integrate(
            lambda at, y: self.rhs(stimulus(float(at)), y),
            self.initial_state(),
            t,
            breakpoints=stimulus.breakpoints(float(t[-1])),
        )
        x = self.width(state[:, 0])
        if not np.all((x > 0.0) & (x < 1.0)):
            k = int(np.argmax(~((x > 0.0) & (x < 1.0))))
            raise PhysicsError(
                f"{self.name}, {stimulus.name}: w/D = {x[k]:.4g} at t = {t[k]:.4g} s is outside (0, 1); "
                "lower the amplitude or the bias"
            )
        return Trajectory(time=t, stimulus=stimulus(t), state=state)


@dataclass(frozen=True, kw_only=True)
class CurrentDriven(HPMemristor):
    """The published reference case: dx/dt = 10 s(t), x(0) = 0.01; a model unit is 1 mA."""

    x0: float = 0.01
    x_max: float = 0.25932665554058887  # exact peak of the sine run
    polarity: int = 1
    unit: float = 1e-3  # A per model unit
    drive = "current"

    def current(self, stimulus, state):
        return self.unit * stimulus + 0.0 * state

    def closed_form(self, stimulus, t):
        x = self.x0 + self.polarity * self.kappa * self.unit * stimulus.integral(t)
        return 0.5 / self.x_max * np.where((x > 0.0) & (x < 1.0), x, np.nan)


@dataclass(frozen=True, kw_only=True)
class VoltageDriven(HPMemristor):
    """The nonlinear case i = v / M(x). A model unit is 25.8 V, so that the sine run spans -1.1 V to 3.6 V.

    The device turns its doped side away from the source (polarity -1, as in Joglekar and Wolf, Eur. J. Phys. 30, 661, 2009), so
    that the positive bias drives x from 0.9 down to 0.10 in the sine run. With the opposite polarity M falls as x rises, and
    the 6 % more flux of the rectangular run would take x past 1 from any sine run that reaches 0.8.
    """

    x0: float = 0.9
    x_max: float = 0.9
    polarity: int = -1
    unit: float = 25.8  # V per model unit
    drive = "voltage"

    def current(self, stimulus, state):
        return self.unit * stimulus / self.memristance(self.width(state))

    def closed_form(self, stimulus, t):
        # Integral of M(x) dx from x0 equals polarity * kappa * flux; with a = (R_off - R_on)/2 it reads
        # a x^2 - R_off x + c = 0, whose smaller root is the one inside (0, 1).
        flux = self.polarity * self.kappa * self.unit * stimulus.integral(t)
        a = 0.5 * (self.r_off - self.r_on)
        c = flux + self.r_off * self.x0 - a * self.x0**2
        square = self.r_off**2 - 4.0 * a * c
        root = np.sqrt(np.where(square > 0.0, square, np.nan))
        x = 2.0 * c / (self.r_off + root)
        return 0.5 / self.x_max * np.where((x > 0.0) & (x < 1.0), x, np.nan)


DRIVES: dict[str, HPMemristor] = {s.drive: s for s in (CurrentDriven(), VoltageDriven())}
