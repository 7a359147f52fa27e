"""How a small error travels through the network's own equation: e' = J e + what the board adds."""

from __future__ import annotations

import numpy as np

STARTS = 60  # moments at which an error is made, for the largest growth


class Propagation:
    """The linearised equation along a solution, solved by the trapezoidal rule.

    Args:
        jacobian: (points, n, n) [1/model s], of whatever units the errors are in.
        step: model seconds between two points.
    """

    def __init__(self, jacobian: np.ndarray, step: float) -> None:
        half, one = 0.5 * step, np.eye(jacobian.shape[1])
        after = one - half * jacobian[1:]
        self.step = step
        self.moves = np.linalg.solve(after, one + half * jacobian[:-1])  # (points - 1, n, n)
        self._takes = np.linalg.solve(after, np.broadcast_to(half * one, after.shape))

    def carried(self, source: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
        """Errors (points, n, k) of k sources.

        Args:
            source: (points, n, k), what is added to the derivative.
            start: (n, k), the error at the first point; None: none.
        """
        errors = np.zeros(source.shape)
        if start is not None:
            errors[0] = start
        taken = self._takes @ (source[:-1] + source[1:])
        for k, move in enumerate(self.moves):
            errors[k + 1] = move @ errors[k] + taken[k]
        return errors

    def largest_growth(self) -> tuple[float, int, int]:
        """The largest factor by which any small error grows between two points, and the two points; 1 and 0, 0: none grows.

        Growth is measured in the length of the error; errors made at STARTS moments are followed.
        """
        points, n = len(self.moves) + 1, self.moves.shape[1]
        starts = np.unique(np.linspace(0, points - 1, min(STARTS, points)).astype(int))
        carried = np.broadcast_to(np.eye(n), (len(starts), n, n)).copy()
        best = (1.0, 0, 0)
        for k, move in enumerate(self.moves):
            begun = starts <= k
            carried[begun] = move @ carried[begun]
            sizes = np.linalg.norm(carried[begun], ord=2, axis=(1, 2))
            worst = int(np.argmax(sizes))
            if sizes[worst] > best[0]:
                best = (float(sizes[worst]), int(starts[worst]), k + 1)
        return best
