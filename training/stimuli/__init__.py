"""Stimuli: objects that give both the values for torch and the sources for SPICE, so that the two can never disagree."""

from training.stimuli.base import KINDS, Stimulus
from training.stimuli.chirp import Chirp
from training.stimuli.constant import Constant
from training.stimuli.convert import as_stimulus
from training.stimuli.function import Function
from training.stimuli.modulated_sine import ModulatedSine
from training.stimuli.noise import Noise
from training.stimuli.product import Product
from training.stimuli.pulse_train import PulseTrain
from training.stimuli.ramp import Ramp
from training.stimuli.rectangular import Rectangular
from training.stimuli.sampled import Sampled
from training.stimuli.scaled import Scaled
from training.stimuli.sine import Sine
from training.stimuli.step import Step
from training.stimuli.stretched import Stretched
from training.stimuli.sum import Sum
from training.stimuli.triangular import Triangular

__all__ = [
    "KINDS", "STIMULI", "Chirp", "Constant", "Function", "ModulatedSine", "Noise", "Product", "PulseTrain", "Ramp",
    "Rectangular", "Sampled", "Scaled", "Sine", "Step", "Stimulus", "Stretched", "Sum", "Triangular", "as_stimulus",
]

STIMULI: dict[str, Stimulus] = {s.name: s for s in (Sine(), Triangular(), Rectangular(), ModulatedSine())}  # as published
