"""The log: what ngspice's words mean. Its exit code alone proves nothing, see docs/explanation/engine.md."""

from __future__ import annotations

import re
from dataclasses import dataclass

from circuits.errors import FailureKind

LINE = 300  # characters of a log line that an error shows

_MAYBE_ROW = re.compile(r"^\S+(\s+[-+]?(\d[\d.e+-]*|inf|nan))+\s*$", re.I)  # operating-point table: any node name
_CHATTER = re.compile(
    r"^(Note:|Circuit:|binary raw file|Doing analysis at|Using (KLU|SPARSE)|No\. of Data|Initial Transient Solution|-+$"
    r"|Node  |----  |\s*Reference value|No \.measure possible|Remove rawfile and use|select interactive mode"
    r"|Total (analysis|elapsed|DRAM)|DRAM currently|(Maximum|Current) ngspice|Shared ngspice|Text \(code\)|Stack = "
    r"|Library pages|\s*or no active)")


# First match wins: a cause stands before what it brings about.
_PATTERNS: tuple[tuple[FailureKind, str], ...] = (
    (FailureKind.MEMORY, r"can't allocate|out of memory|insufficient memory"),
    (FailureKind.DISK_FULL, r"rawfile write error|No space left on device"),
    (FailureKind.ENGINE_CRASH, r"internal error --|segmentation violation|stack smashing|Assertion .* failed|double free"),
    (FailureKind.UNSUPPORTED_ANALYSIS, r"\bnot \(?(yet|currently)?\)? ?supported|operation not supported"),
    (FailureKind.MISSING_MODEL,
     r"could not find a valid modelname|unable to find definition of model|unknown subckt|Could not find include file"
     r"|Could not find library|Undefined parameter|model name is not found|unknown model"),
    (FailureKind.MATH_DOMAIN, r"out of range for|argument out of range|division by zero"),
    (FailureKind.SINGULAR, r"singular matrix"),
    (FailureKind.NO_CONVERGENCE,
     r"Timestep too small|operating point could not be simulated|iteration limit reached|without convergence"
     r"|Transient op failed"),
    (FailureKind.MISSING_VECTOR, r"no data saved for|no such vector"),
    (FailureKind.PARSE_ERROR,
     r"^Error on line|^Error in netlist line|circuit not parsed|ignored!|unimplemented dot command|empty netlist"
     r"|syntax error|no circuits loaded|- ignored"),
    (FailureKind.ENGINE_ERROR, r"^\s*(fatal )?error\b|simulation\(s\) aborted|aborted|simulation interrupted"),
)
_COMPILED = tuple((kind, re.compile(pattern, re.I)) for kind, pattern in _PATTERNS)
# A line that ngspice calls a warning, and what it says of a model's unknown parameter, ends no run by itself.
_WARNING = re.compile(r"^\s*warning\b|^(MIF: )?unrecognized parameter \(.*\) - ignored", re.I)
_GRAVE = frozenset({FailureKind.MEMORY, FailureKind.DISK_FULL, FailureKind.ENGINE_CRASH, FailureKind.SINGULAR,
                    FailureKind.NO_CONVERGENCE, FailureKind.MATH_DOMAIN, FailureKind.MISSING_VECTOR})
_LOST = re.compile(r"instance line, ignored!|unimplemented|^\s*warning: .*\bline .*ignored!", re.I)  # an element is gone
_DETAIL = re.compile(r"^\s+\S|^(MIF: )?unrecognized parameter |^\s*please ", re.I)  # lines that go on with a warning
WARNINGS_KEPT = 100
END = 1000  # letters of either end of a line that are looked at
_NODE = re.compile(r"check nodes? (\S+)|trouble with (?:node )?[\"']?([\w.#:\[\]@+-]+)", re.I)
_TIME = re.compile(r"time = ([-+0-9.e]+)", re.I)


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """The worst line of a log. ``time`` [s], ``node`` and ``analysis`` ("op", "tran") where the line names them."""

    kind: FailureKind
    line: str
    node: str | None = None
    time: float | None = None
    analysis: str | None = None


def find_complaint(stdout: str, stderr: str) -> Complaint | None:
    """The cause of a bad run, None for a log that holds only chatter."""
    lines = [_ends(line) for line in (*_spoken(stderr), "", *_spoken(stdout))]
    calm = _warned(lines)
    for kind, pattern in _COMPILED:
        hits = [n for n, line in enumerate(lines) if pattern.search(line) and (kind in _GRAVE or n not in calm)]
        if hits:
            return _complaint(kind, lines, hits)
    return None


def _warned(lines: list[str]) -> set[int]:
    """Numbers of the lines that are a warning or go on with one, but for those that tell of a lost element."""
    numbers: set[int] = set()
    for number, line in enumerate(lines):
        goes_on = number - 1 in numbers and _DETAIL.match(line)
        if (_WARNING.search(line) or goes_on) and not _LOST.search(line):
            numbers.add(number)
    return numbers


def warnings_in(stdout: str, stderr: str) -> tuple[str, ...]:
    """What ngspice warns of, each once, in order, the lines of a warning joined; at most ``WARNINGS_KEPT``."""
    found: list[str] = []
    for stream in (stderr, stdout):
        goes_on = False
        for line in _spoken(stream):
            if re.match(r"\s*warning\b", line, re.I):
                found.append(_ends(line.strip()))
                goes_on = True
            elif goes_on and _DETAIL.match(line):
                if len(found[-1]) < LINE:
                    found[-1] += f" / {_ends(line.strip())}"
            else:
                goes_on = False
    distinct = tuple(line[:LINE] for line in dict.fromkeys(found))
    more = len(distinct) - WARNINGS_KEPT
    return distinct if more <= 0 else (*distinct[:WARNINGS_KEPT], f"and {more} more warnings")


def tail(stdout: str, stderr: str, lines: int) -> str:
    """Last lines that say something, standard error last; ngspice repeats a card of any length, so long lines are cut."""
    last = (_spoken(stdout)[-lines:] + _spoken(stderr))[-lines:]
    return "\n".join(line if len(line) <= LINE else f"{line[:LINE]}... ({len(line)} characters)" for line in last)


def _spoken(text: str) -> list[str]:
    lines = (line.rstrip() for line in re.split(r"[\r\n]+", text))
    return [line for line in lines if line and not _MAYBE_ROW.match(_ends(line)) and not _CHATTER.match(_ends(line))]


def _ends(line: str) -> str:
    """Both ends of a line that is very long: a deck can have ngspice repeat megabytes, over which patterns take minutes."""
    return line if len(line) <= 2 * END else f"{line[:END]} ... {line[-END:]}"


def _complaint(kind: FailureKind, lines: list[str], hits: list[int]) -> Complaint:
    first = hits[0]
    step = next((n for n in hits if "imestep too small" in lines[n] and "Transient op" not in lines[n]), None)
    is_tran = kind is FailureKind.NO_CONVERGENCE and step is not None
    if is_tran:
        first = step
    # ngspice spreads a parse error over the lines after it.
    spread = {FailureKind.PARSE_ERROR: 3, FailureKind.MATH_DOMAIN: 2}.get(kind, 1)
    start = max(first - 2, 0) if kind is FailureKind.MISSING_MODEL else first
    told = lines[start:first + spread]
    if "" in told:  # the border between the two streams
        told = told[:told.index("")]
    line = " / ".join(part.strip() for part in told)
    node = next((found[1] or found[2] for n in hits if (found := _NODE.search(lines[n]))), None)
    time = _TIME.search(lines[first]) if is_tran else None
    analysis = ("tran" if is_tran else "op") if kind is FailureKind.NO_CONVERGENCE else None
    return Complaint(kind=kind, line=line[:400], node=node, time=float(time[1]) if time else None, analysis=analysis)
