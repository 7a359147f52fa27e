"""Stimuli in a manifest: their fields, and files for the samples of long ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from circuits.board import nets
from cosim.folder.arrays import ArrayFile, encode_arrays
from cosim.problem.case import Case
from training.stimuli import KINDS, Sampled, Scaled, Stimulus, Sum

SIGNALS = "signals"  # folder of the files
MOST_INLINE = 32  # samples that stand in the manifest itself


def stimulus_fields(case: Case, k: int, files: dict[str, bytes]) -> dict[str, Any]:
    """Fields of a case's stimulus for JSON; files that they name are added to ``files``, name -> bytes."""
    return _fields(case.stimuli[k], f"{SIGNALS}/{case.name}_{nets.external_column(k)}", files)


def _fields(stimulus: Stimulus, stem: str, files: dict[str, bytes]) -> dict[str, Any]:
    head = {"name": stimulus.name}
    if isinstance(stimulus, Sum):
        return head | {"stimuli": [_fields(term, f"{stem}_{i}", files) for i, term in enumerate(stimulus.stimuli)]}
    if isinstance(stimulus, Scaled):
        return head | {"factor": stimulus.factor, "stimulus": _fields(stimulus.stimulus, stem, files)}
    if not isinstance(stimulus, Sampled):
        return head | asdict(stimulus)
    rest = {field.name: getattr(stimulus, field.name) for field in fields(stimulus) if field.name not in ("times", "values")}
    if len(stimulus.times) <= MOST_INLINE:
        return head | {"times": stimulus.times.tolist(), "values": stimulus.values.tolist()} | rest
    record, files[f"{stem}.npz"] = encode_arrays(f"{stem}.npz", {"times": stimulus.times, "values": stimulus.values})
    return head | {"samples": len(stimulus.times), **asdict(record)} | rest


def read_stimulus(content: Mapping[str, Any], folder: Path) -> Stimulus:
    """The stimulus that fields, and the files that they name, stand for.

    Raises:
        LookupError, TypeError, training.errors.StimulusError: a field is missing or wrong.
        ResultsError: a file is missing, or another than the one that was compiled.
    """
    given = dict(content)
    kind = KINDS[given.pop("name")]
    if kind is Sum:
        given["stimuli"] = tuple(read_stimulus(term, folder) for term in given["stimuli"])
    elif kind is Scaled:
        given["stimulus"] = read_stimulus(given["stimulus"], folder)
    elif kind is Sampled and "file" in given:
        given |= ArrayFile(file=given.pop("file"), sha256=given.pop("sha256")).read(folder)
        if given.pop("samples") != len(given["times"]):
            raise ValueError("samples are not as many as the file holds")
    return kind(**given)
