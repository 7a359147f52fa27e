"""Cases in a manifest: fields, and the files of samples that they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cosim.folder.arrays import ArrayFile, encode_arrays
from cosim.folder.signals import read_stimulus, stimulus_fields
from cosim.problem.case import Case

TRUTH = "truth"  # field of a case, array in its file, and folder of the files


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseRecords:
    """Cases ready for a manifest."""

    cases: tuple[tuple[Case, dict[str, Any]], ...]  # each with its stimuli and its truth as fields
    files: dict[str, bytes]  # below the compiled folder


def case_records(cases: Sequence[Case], truths: Mapping[str, np.ndarray]) -> CaseRecords:
    """Fields and files of cases.

    Args:
        truths: case -> (samples, n_states) model units, of those whose truth is known.
    """
    files: dict[str, bytes] = {}
    records = []
    for case in cases:
        fields: dict[str, Any] = {"stimuli": [stimulus_fields(case, k, files) for k in range(len(case.stimuli))]}
        if case.name in truths:
            name = f"{TRUTH}/{case.name}.npz"
            record, files[name] = encode_arrays(name, {TRUTH: truths[case.name]})
            fields[TRUTH] = asdict(record)
        records.append((case, fields))
    return CaseRecords(cases=tuple(records), files=files)


def read_case(fields: Mapping[str, Any], folder: Path) -> Case:
    """The case that a manifest's entry stands for; errors as :func:`cosim.folder.signals.read_stimulus`."""
    return Case(name=fields["name"], stimuli=tuple(read_stimulus(stimulus, folder) for stimulus in fields["stimuli"]),
                initial=tuple(fields["initial"]), duration=fields["duration"], samples=fields["samples"])


def array_files(fields: Any) -> list[str]:
    """Names of all files that an entry, or a part of it, names."""
    if isinstance(fields, Mapping):
        own = [str(fields["file"])] if {"file", "sha256"} <= set(fields) else []
        return own + [name for value in fields.values() for name in array_files(value)]
    return [name for value in fields for name in array_files(value)] if isinstance(fields, list) else []


def read_truth_record(fields: Mapping[str, Any]) -> ArrayFile | None:
    """Where the truth of a case is; None: it is not known."""
    return ArrayFile(**fields[TRUTH]) if TRUTH in fields else None
