"""What there is to say of a network that was fitted: by what it was replaced, and how far that is from the author's module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

METHODS = ("pieces", "trained")


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Record of a fit, as it stands in a manifest."""

    method: str  # "pieces": every smooth function in linear pieces, thinned; "trained": a network from random weights
    error: float  # limit that was asked for, part of the whole
    derivative_error: float  # RMS over the region, part of full scale, the worst state
    run_error: float  # MRE of the fitted network against the author's module, the worst state of the worst case
    worst: str  # that case and state, in words
    seed: int
    margin: float  # part of the signals' span by which the region reaches beyond calibration and runs

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"fit by {self.method!r}, none of {', '.join(METHODS)}")

    def words(self, widths: Sequence[int]) -> str:
        """By what the network was replaced, and the error.

        Args:
            widths: of the chain: inputs, then the outputs of every layer.
        """
        how = {"pieces": "its smooth functions in pieces", "trained": "trained from random weights"}[self.method]
        chain, neurons = "-".join(map(str, widths)), sum(widths[1:-1])
        return (f"the network was replaced by a ReLU network {chain} ({neurons} neurons, {how}); its runs are off by up to "
                f"{self.run_error:.3%} (MRE, {self.worst}), its derivatives by {self.derivative_error:.3%} of full scale (RMS "
                f"over the region); {self.error:.3%} was asked for")
