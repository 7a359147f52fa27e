"""The cell's select transistor as the compiler sees it: a resistor near zero drain voltage."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from circuits.array.network import GMIN
from circuits.errors import CircuitError
from circuits.parts import model_parameters


@dataclass(frozen=True, kw_only=True)
class SelectTransistor:
    """180 nm select NMOS, level-1 equations with the parameters of ``parts/nmos_select.lib``."""

    # A width of 20 um gives 143 ohm at the board's bias. A linear compensation cannot take out the change of this resistance
    # with the cell's own voltage. The change falls with the square of the width: it is 5e-5 of a full-scale cell current at
    # 10 um and 1.3e-5 at 20 um.
    width: float = 20e-6  # m
    length: float = 0.28e-6  # m
    gate: float = 2.5  # V, word line when selected
    bulk: float = -2.5  # V, substrate on the negative supply

    def parameters(self) -> dict[str, float]:
        """Level-1 parameters: vto [V], kp [A/V^2], gamma [V^0.5], phi [V]."""
        return model_parameters("nmos_select", "nmos_select")

    def junction(self) -> float:
        """Conductance [S] from a drain or source junction to the substrate: what the simulator adds there."""
        return GMIN

    def on_resistance(self, source: float = 0.0) -> float:
        """Small-signal drain-source resistance at zero drain-source voltage [ohm].

        Level-1 triode, 1/R = kp * W/L * (v_gs - v_th), v_th with body effect (Shichman and Hodges 1968).

        Args:
            source: source potential [V]; the source line sits at virtual ground.
        Raises:
            CircuitError: the gate voltage does not turn the transistor on.
        """
        p = self.parameters()
        v_th = p["vto"] + p["gamma"] * (sqrt(p["phi"] + source - self.bulk) - sqrt(p["phi"]))
        overdrive = self.gate - source - v_th
        if overdrive <= 0:
            raise CircuitError(
                f"select transistor is off: v_gs = {self.gate - source:.3f} V, threshold {v_th:.3f} V; raise the gate"
            )
        return 1.0 / (p["kp"] * self.width / self.length * overdrive)

    def curvature(self) -> float:
        """Second-order coefficient of the drain current against +-v_ds [A/V^2]: i = v_ds / r_on - curvature * v_ds^2.

        Level-1 triode gives kp * W/L / 2 for a positive v_ds. For a negative one the terminals change places and the
        body effect adds its slope; the mean of both is returned, each is within 11 % of it.
        """
        p = self.parameters()
        body = p["gamma"] / (2.0 * sqrt(p["phi"] - self.bulk))
        return p["kp"] * self.width / self.length * (1.0 + 0.5 * body) / 2.0
