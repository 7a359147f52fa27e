"""Named corners: what may differ from the nominal board, each figure with its reason."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from circuits.board.testbench import SUPPLY
from circuits.errors import CircuitError

NOMINAL_TEMPERATURE = 27.0  # degC, ngspice's, at which the parts' parameters hold
OFFSET_DRIFT = 0.6e-6  # V/degC, op-amp, typical (datasheet front page); its sign is either in the part
TEMPERATURES = (-40.0, 125.0)  # degC, the op-amp's specified range (datasheet front page)
SUPPLIES = (1.35, 2.75)  # V, either rail: least of the op-amp, most of the mux (5.5 V in all)


@dataclass(frozen=True, kw_only=True)
class Corner:
    """A board that differs from the nominal one. The network is compiled for the nominal board and knows nothing of it."""

    name: str
    reason: str  # where the figures come from
    temperature: float = NOMINAL_TEMPERATURE  # degC, every device
    supply: float = 1.0  # of the nominal supply, both rails and the select logic
    offset: float = 0.0  # V, input offset of every op-amp at the nominal temperature
    diode: str = "a"  # parameter set of the 1N4148, "a" or "b"
    vto_shift: float = 0.0  # V, threshold of the select transistor
    kp_factor: float = 1.0  # of the select transistor's gain
    wire_factor: float = 1.0  # of every wire segment's resistance
    diode_drifts: bool = True  # False leaves the diodes' parameters as they are at the nominal temperature; see without()
    transistor_drifts: bool = True  # False, the same of the select transistors

    def __post_init__(self) -> None:
        low, high = TEMPERATURES
        if not low <= self.temperature <= high:
            raise CircuitError(f"corner {self.name}: {self.temperature} degC; the op-amp is specified from {low:g} to {high:g}")
        if not SUPPLIES[0] <= self.supply * SUPPLY <= SUPPLIES[1]:
            raise CircuitError(f"corner {self.name}: supplies of +-{self.supply * SUPPLY:.3g} V; op-amp and mux allow "
                               f"+-{SUPPLIES[0]} to +-{SUPPLIES[1]} V")
        if self.diode not in ("a", "b"):
            raise CircuitError(f"corner {self.name}: diode set {self.diode!r}; there are 'a' and 'b'")
        if self.kp_factor <= 0 or self.wire_factor <= 0:
            raise CircuitError(f"corner {self.name}: kp_factor {self.kp_factor}, wire_factor {self.wire_factor}; both must be "
                               "positive")

    @property
    def vos(self) -> float:
        """Input offset of every op-amp [V], with its drift to the corner's temperature."""
        return float(f"{self.offset + OFFSET_DRIFT * (self.temperature - NOMINAL_TEMPERATURE):.6g}")

    @property
    def rail(self) -> float:
        """Either supply, and the level of the select logic [V]."""
        return float(f"{self.supply * SUPPLY:.6g}")

    @property
    def changes(self) -> tuple[str, ...]:
        """Names of the fields that differ from the nominal board."""
        return tuple(f.name for f in fields(self) if f.name not in ("name", "reason") and getattr(self, f.name) != f.default)

    @property
    def figures(self) -> str:
        """What differs from the nominal board, in words."""
        return ", ".join(f"{name} {getattr(self, name)}" for name in self.changes)

    @property
    def reaches_arrays(self) -> bool:
        """Whether wires or select transistors differ from the nominal ones."""
        return self.temperature != NOMINAL_TEMPERATURE or self.supply != 1 or any(
            name in self.changes for name in ("vto_shift", "kp_factor", "wire_factor"))

    def without(self) -> dict[str, Corner]:
        """The same corner with one of its effects taken out, one an effect: what an error is without it tells its cause."""
        warm = self.temperature != NOMINAL_TEMPERATURE
        left = {}
        if self.vos:
            left["offset"] = {"offset": self.offset - self.vos}
        if warm or self.diode != "a":
            left["diode leakage" if self.diode == "a" else "diode set b"] = {"diode": "a", "diode_drifts": not warm}
        if warm or self.vto_shift or self.kp_factor != 1:
            left["select transistors"] = {"vto_shift": 0.0, "kp_factor": 1.0, "transistor_drifts": not warm}
        if self.supply != 1:
            left["supplies"] = {"supply": 1.0}
        if self.wire_factor != 1:
            left["wires"] = {"wire_factor": 1.0}
        made = {}
        for effect, fields_left in left.items():
            name = f"{self.name}_without_{effect.replace(' ', '_')}"
            one = replace(self, name=name, reason=f"{self.name} without {effect}", **fields_left)
            made[effect] = one if one.changes else CORNERS["nominal"]
        return made


_ALL = (
    Corner(name="nominal", reason="what the network is compiled for"),
    Corner(name="cold", temperature=-40.0, reason="industrial range; op-amps drift 0.6 uV/degC (datasheet)"),
    Corner(name="hot", temperature=85.0, reason="industrial range; op-amps drift 0.6 uV/degC (datasheet)"),
    Corner(name="low_supply", supply=0.9, reason="+-2.25 V, regulator 10 % low"),
    Corner(name="high_supply", supply=1.08, reason="+-2.7 V, 50 mV inside the mux's limit of +-2.75 V (datasheet)"),
    Corner(name="offset_high", offset=0.3e-3, reason="typical offset, datasheet front page, all op-amps the same way"),
    Corner(name="offset_low", offset=-0.3e-3, reason="typical offset, datasheet front page, all op-amps the same way"),
    Corner(name="diode_b", diode="b", reason="the other published 1N4148 set; the ReLU stage is compensated for set a"),
    # GF180MCU specification 1.0, 3.3 V NMOS, 10/0.28 um: vt0 0.53 / 0.63 / 0.73 V, idsat 430 / 510 / 590 A/m at 3.3 V.
    # kp is what the square law leaves of idsat's spread: 430/510 * (2.67/2.57)^2 = 0.91, 590/510 * (2.67/2.77)^2 = 1.075
    Corner(name="slow_transistor", vto_shift=0.1, kp_factor=0.91, reason="highest vt0, lowest idsat of the GF180MCU spec"),
    Corner(name="fast_transistor", vto_shift=-0.1, kp_factor=1.075, reason="lowest vt0, highest idsat of the GF180MCU spec"),
    Corner(name="wires_x2", wire_factor=2.0, reason="no published spread: twice the sheet resistance, or a pitch of 10 um"),
)
CORNERS = {corner.name: corner for corner in _ALL}


def find_corner(name: str) -> Corner:
    """A corner by name.

    Raises:
        CircuitError: there is none; lists those there are.
    """
    if name not in CORNERS:
        raise CircuitError(f"no corner named {name!r}; there are {', '.join(CORNERS)}")
    return CORNERS[name]
