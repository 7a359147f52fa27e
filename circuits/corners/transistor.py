"""The select transistor at a corner: its level-1 parameters there."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt

from circuits.array.network import GMIN
from circuits.array.select_transistor import SelectTransistor
from circuits.corners.corner import NOMINAL_TEMPERATURE, Corner

ZERO = 273.15  # K, 0 degC
BOLTZMANN = 1.380649e-23 / 1.602176634e-19  # eV/K
SATURATION = 1e-14  # A, SPICE's default of a junction, whose areas our cards do not give


@dataclass(frozen=True, kw_only=True)
class CornerTransistor(SelectTransistor):
    """A select transistor at a corner; gate and bulk are the corner's. See :func:`transistor_at`."""

    corner: Corner

    def parameters(self) -> dict[str, float]:
        """Level-1 parameters, with SPICE's temperature model (mos1temp.c, unchanged since SPICE 2G6).

        kp follows the mobility, T^-1.5. The band gap moves phi, and with it and half of itself the threshold: 2 mV less a
        degree at vsb 0.
        """
        p = super().parameters()
        vto, kp = p["vto"] + self.corner.vto_shift, p["kp"] * self.corner.kp_factor
        hot, cold = self._kelvin, NOMINAL_TEMPERATURE + ZERO
        ratio, gap, gap_nominal = hot / cold, band_gap(hot), band_gap(cold)
        phi = ratio * p["phi"] - 3 * BOLTZMANN * hot * log(ratio) + gap - ratio * gap_nominal
        flat = vto - p["gamma"] * sqrt(p["phi"]) + 0.5 * (gap_nominal - gap) + 0.5 * (phi - p["phi"])
        return {**p, "vto": flat + p["gamma"] * sqrt(phi), "kp": kp / ratio**1.5, "phi": phi}

    def junction(self) -> float:
        """gmin [S], and the saturation current that the temperature adds, a constant against the substrate's voltage."""
        hot, cold = self._kelvin, NOMINAL_TEMPERATURE + ZERO
        factor = exp(band_gap(cold) / (BOLTZMANN * cold) - band_gap(hot) / (BOLTZMANN * hot))
        return GMIN + SATURATION * (factor - 1) / -self.bulk

    @property
    def _kelvin(self) -> float:
        return (self.corner.temperature if self.corner.transistor_drifts else NOMINAL_TEMPERATURE) + ZERO


def transistor_at(corner: Corner, nominal: SelectTransistor) -> CornerTransistor:
    """A board's transistor at a corner: word lines and substrate are on the corner's supplies."""
    return CornerTransistor(corner=corner, width=nominal.width, length=nominal.length, gate=nominal.gate * corner.supply,
                            bulk=nominal.bulk * corner.supply)


def band_gap(kelvin: float) -> float:
    """Of silicon [eV], as SPICE has it."""
    return 1.16 - 7.02e-4 * kelvin**2 / (kelvin + 1108)
