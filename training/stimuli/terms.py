"""What a sum and a product are made of."""

from __future__ import annotations

from training.errors import StimulusError
from training.stimuli.base import Stimulus


def check_terms(stimulus: Stimulus) -> None:
    """Refuse a sum or a product of anything but two or more stimuli.

    Raises:
        StimulusError: says what there is.
    """
    for term in stimulus.stimuli:
        if not isinstance(term, Stimulus):
            raise StimulusError(f"{stimulus.name}: {type(term).__name__} is no stimulus; make it one with as_stimulus")
    if len(stimulus.stimuli) < 2:
        raise StimulusError(f"{stimulus.name} of {len(stimulus.stimuli)} stimuli; give two or more")
