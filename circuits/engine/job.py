"""A job: one deck to run once, with its limits and what its answer must hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from circuits.errors import CircuitError

GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Job:
    """One isolated ngspice process. Every field but ``deck`` has a default that suits an everyday run."""

    deck: Path
    require: tuple[str, ...] = ()  # vectors that must be there, beside those that .save names
    t_stop: float | None = None  # s, last time that must be reached; None: read from .tran
    max_voltage: float | None = None  # V, |v| of any saved node beyond it is an error; None: no bound
    timeout: float = 600.0  # s, wall clock
    cpu_limit: int | None = None  # s of processor time; None: no limit beside the timeout
    memory_limit: int = 8 * GIB  # bytes of address space
    file_limit: int = 8 * GIB  # bytes, largest file the engine may write
    op_amp: str = "any"  # "compiled" or "lib" insists on a form of the opa4990; "any" takes the compiled one where it can
    keep_raw: Path | None = None  # where a good run's own raw file is copied to; None: nowhere

    def __post_init__(self) -> None:
        object.__setattr__(self, "deck", Path(self.deck))
        object.__setattr__(self, "require", tuple(self.require))
        if self.op_amp not in ("any", "compiled", "lib"):
            raise CircuitError(f"job {self.deck}: op_amp = {self.op_amp!r}; give 'any', 'compiled' or 'lib'")
        for name in ("t_stop", "max_voltage", "timeout", "cpu_limit", "memory_limit", "file_limit"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise CircuitError(f"job {self.deck}: {name} = {value!r}; give a positive, finite number")
