"""Recipes that trained the committed checkpoints."""

from training.trainer import Recipe, Stage

_STAGES = (
    Stage(steps=300, window=10, batch=32),
    Stage(steps=200, window=25, stride=2, batch=8, boards=8),
    Stage(steps=150, window=125, stride=4, boards=24),
)
NEURAL_ODE = {
    "current": Recipe(stages=_STAGES, learning_rate=1e-2, exact_weight=3.0),
    "voltage": Recipe(stages=_STAGES, learning_rate=1e-2, exact_weight=3.0),
}
_RESNET = Recipe(
    stages=(Stage(steps=300, window=10, batch=32), Stage(steps=150, window=50, batch=8), Stage(steps=60, window=499)),
    learning_rate=1e-2,
)
RESNET = {"current": _RESNET, "voltage": _RESNET}
