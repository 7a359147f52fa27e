"""Exceptions of the meeting room; every one names what, where and how to mend it."""

from __future__ import annotations


class CosimError(Exception):
    """Base of everything a user can cause here."""


class UnsupportedModelError(CosimError):
    """The torch model holds something that the board has no circuit for."""


class NotPiecewiseLinearError(UnsupportedModelError):
    """The torch model is none that a ReLU network computes exactly; one can be fitted to it."""


class MappingError(CosimError):
    """Weights cannot be turned into conductances."""


class ClippingError(CosimError):
    """A stimulus or a state would drive a stage out of its linear range."""


class ResultsError(CosimError):
    """A results or decks folder is missing something or does not fit together."""


class StabilityError(CosimError):
    """An amplifier of the board has too little phase margin."""


class GateError(CosimError):
    """A waveform error, or a clamp hit, beyond a limit that the user gave."""


class CosimWarning(UserWarning):
    """Something that a user should know before trusting a result; says what, where and how to mend it."""


class GoldenError(CosimError):
    """Waveforms cannot be held by a golden file as the call asks: a band, a window or a vector is wrong."""


class GoldenMismatch(CosimError, AssertionError):
    """Waveforms leave the band of their golden file, or do not fit the file; pytest's ``--force-regen`` writes it anew."""
