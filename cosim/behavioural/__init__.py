"""The board as a differentiable, batched torch model: the rung of the fidelity ladder below the decks."""
