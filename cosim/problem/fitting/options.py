"""What may be chosen when a network is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np

from cosim.errors import CosimError

LARGEST_ERROR = 0.2  # beyond it the fitted network is another system


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How a network that is not piecewise linear is replaced by a ReLU network; see docs/how-to/smooth-activations.md."""

    error: float = 0.005  # limit of the substitution error: MRE of every state in every case, and RMS error of the derivatives
    # over the region in parts of their full scale
    widths: tuple[int, ...] | None = None  # of the hidden layers, trained from random weights; None: chosen from the network
    margin: float = 0.05  # part of the signals' span by which the region reaches beyond calibration and runs
    seed: int = 0  # of the samples of the region, and of the random weights

    def __post_init__(self) -> None:
        if not (_is_number(self.error) and 0 < self.error <= LARGEST_ERROR):
            raise CosimError(f"fit: error = {self.error!r}; give a part above 0 and up to {LARGEST_ERROR}, e.g. 0.005 for "
                             "0.5 %")
        if not (_is_number(self.margin) and 0 < self.margin <= 1):
            raise CosimError(f"fit: margin = {self.margin!r}; give a part of the signals' span above 0 and up to 1, e.g. 0.05")
        if self.widths is not None:
            if not isinstance(self.widths, list | tuple) or not self.widths or any(
                    not isinstance(width, int) or width < 1 for width in self.widths):
                raise CosimError(f"fit: widths = {self.widths!r}; give the neurons of each hidden layer, e.g. (24, 24)")
            object.__setattr__(self, "widths", tuple(self.widths))
        if not (isinstance(self.seed, int) and self.seed >= 0):
            raise CosimError(f"fit: seed = {self.seed!r}; give a whole number of at least 0")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and bool(np.isfinite(value))
