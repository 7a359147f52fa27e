"""The exception tree of the SPICE room. Every error says what is wrong, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from circuits.engine.waveforms import Waveforms

LOG_TAIL = 25  # lines of the log that are kept with an error
COMPLAINTS_SHOWN = 20  # of one deck, in one message


def printable(text: str, *, breaks: bool = True) -> str:
    """Text that a terminal shows and does not obey: control, format and broken characters are written as escapes.

    A deck, its log or a file's name may hold ESC, U+009B or a right-to-left mark, which could hide or forge what is printed.

    Args:
        breaks: leave line breaks and tabs; False for what is to be a part of a line, such as a file's name.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = "\n\t" if breaks else ""
    return "".join(letter if letter.isprintable() or letter in kept else letter.encode("unicode_escape").decode("ascii")
                   for letter in text)


class CircuitError(Exception):
    """Anything that goes wrong between a circuit's description and its waveforms."""


class MissingVector(CircuitError):
    """A vector was asked for that the run did not save."""


class ResamplingError(CircuitError):
    """A waveform was asked for outside its time range, or its scale does not increase."""


class RawFileError(CircuitError):
    """A raw file is not what its header says."""


class MeasureFailed(CircuitError):
    """A ``.meas`` card of the deck gave no number."""


class FailureKind(StrEnum):
    """Why a simulation gave nothing to believe. The value is what reports and Parquet rows print."""

    REJECTED_INPUT = "rejected_input"  # our own guard refused the deck; ngspice never saw it
    PARSE_ERROR = "parse_error"
    MISSING_MODEL = "missing_model"  # model, subcircuit, include or parameter
    MISSING_VECTOR = "missing_vector"  # .save or Job.require names what the circuit does not have
    SINGULAR = "singular"
    NO_CONVERGENCE = "no_convergence"
    MATH_DOMAIN = "math_domain"
    UNSUPPORTED_ANALYSIS = "unsupported_analysis"
    TRUNCATED = "truncated"
    OUT_OF_RANGE = "out_of_range"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    DISK_FULL = "disk_full"  # disk full, or the file-size limit
    KILLED = "killed"
    ENGINE_CRASH = "engine_crash"
    ENGINE_ERROR = "engine_error"  # ngspice reported an error that no other kind describes
    ENGINE_MISSING = "engine_missing"
    ENGINE_TOO_OLD = "engine_too_old"


class SimulationError(CircuitError):
    """A run whose result must not be believed.

    Attributes:
        kind: FailureKind.
        message: what is wrong, where, and how to mend it, without deck and log.
        deck: path of the deck as the caller gave it, or None.
        node: node or branch that the engine blames, or None.
        analysis: "op" or "tran" where it did not converge, else None.
        last_time: last time reached [s], or None where there is no point of a transient.
        partial: waveforms of what was computed, marked as partial, or None.
        log_tail: last lines of the engine's log.
        notes: what was noted of the deck when it was read.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        message: str,
        *,
        kind: FailureKind,
        deck: Path | None = None,
        node: str | None = None,
        analysis: str | None = None,
        last_time: float | None = None,
        partial: Waveforms | None = None,
        log_tail: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.deck = deck
        self.node = node
        self.analysis = analysis
        self.last_time = last_time
        self.partial = partial
        self.log_tail = log_tail

    def __str__(self) -> str:
        parts = [f"{self.kind}: {self.message}"]
        if self.deck is not None:
            parts.append(f"  deck: {printable(str(self.deck), breaks=False)}")
        parts += [f"  note: {printable(note, breaks=False)}" for note in self.notes]
        if self.last_time is not None:
            parts.append(f"  last time reached: {self.last_time:.6g} s")
        if self.log_tail:
            parts.append("  log tail:\n" + "\n".join(f"    {line}" for line in self.log_tail.splitlines()))
        return "\n".join(parts)

    def __reduce__(self):  # keyword-only arguments would break pickling between Dask workers
        return _rebuild, (type(self), self.args, self.__dict__)


class RejectedDeck(SimulationError):
    """The door refused a deck before ngspice saw it.

    Attributes:
        file, line: where; the line counts from 1 on, and 0 is the whole file. Of several complaints, the first one's.
        complaints: every complaint about the deck, each an error of its own; empty for a single one.
    """

    def __init__(self, message: str, *, file: Path, line: int = 0) -> None:
        where = f"{file}:{line}" if line else str(file)
        super().__init__(printable(f"{where}: {message}", breaks=False), kind=FailureKind.REJECTED_INPUT, deck=file)
        self.file = file
        self.line = line
        self.complaints: tuple[RejectedDeck, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"

    @classmethod
    def together(cls, complaints: Sequence[RejectedDeck]) -> RejectedDeck:
        """One error for everything that is wrong with a deck, so that it is mended in one go; at least one complaint."""
        first = complaints[0]
        if len(complaints) == 1:
            return first
        error = cls("", file=first.file, line=first.line)
        shown = [complaint.message for complaint in complaints[:COMPLAINTS_SHOWN]]
        if len(complaints) > COMPLAINTS_SHOWN:
            shown.append(f"and {len(complaints) - COMPLAINTS_SHOWN} more; mend these first")
        error.message = "\n  ".join(shown)
        error.args = (error.message,)
        error.complaints = tuple(complaints)
        return error


class SeveralFailed(CircuitError):
    """More than one of many runs failed. ``failures`` holds their SimulationErrors in the order of the runs."""

    def __init__(self, failures: Sequence[SimulationError]) -> None:
        super().__init__(f"{len(failures)} decks failed\n" + "\n".join(str(failure) for failure in failures))
        self.failures = tuple(failures)

    def __reduce__(self):
        return type(self), (self.failures,)


def _rebuild(cls: type[SimulationError], args: tuple, state: dict) -> SimulationError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error
