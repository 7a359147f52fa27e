"""The step before the others: a model that is trained once and kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

import numpy as np
import torch
from torch import nn

from cosim.errors import ResultsError
from cosim.store.files import content_key, write_atomically
from cosim.store.sources import code_key

KEY = "key"  # of the file's entry that tells what the weights were made from
Model = TypeVar("Model", bound=nn.Module)


def trained_once(model: Model, train: Callable[[Model], object], path: str | Path, *,
                 made_from: Iterable[str | Path] = ()) -> Model:
    """Train a model in place, or give it the weights that were kept when it was trained before.

    It is trained again when its initial weights, a file of yours that is loaded, torch's version or a file of ``made_from``
    has changed since. What ``train`` reads otherwise, such as a database, is not looked at: delete the file then.

    Args:
        model: as it is before training.
        train: called with the model, changes its weights.
        path: where the weights are kept, .npz.
        made_from: files that training reads, e.g. measured data.
    Returns:
        The model.
    Raises:
        ResultsError: a file of ``made_from`` cannot be read, or the weights cannot be written.
    """
    path = Path(path)
    key = _key(model, train, made_from)
    kept = _read(path)
    if kept.get(KEY) == key:
        print(f"trained before, weights of {path}; delete the file to train again", file=sys.stderr)
        model.load_state_dict({name: torch.from_numpy(kept[name]) for name in model.state_dict()})
        return model
    train(model)
    content = BytesIO()
    np.savez(content, allow_pickle=False, **{KEY: np.array(key)}, **_weights(model))
    write_atomically(path, content.getvalue())
    return model


def _key(model: nn.Module, train: Callable, made_from: Iterable[str | Path]) -> str:
    parts = [torch.__version__, code_key(train)]
    for name, values in _weights(model).items():
        parts += [name, f"{values.dtype.str} {values.shape}", values.tobytes()]
    for file in map(Path, made_from):
        try:
            parts += [file.name, file.read_bytes()]
        except OSError as error:
            raise ResultsError(f"{file}, from which the model is made, cannot be read: {error.strerror or error}; name a file "
                               "that is there") from error
    return content_key(parts)


def _weights(model: nn.Module) -> dict[str, np.ndarray]:
    return {name: values.detach().cpu().numpy() for name, values in model.state_dict().items()}


def _read(path: Path) -> dict:
    """What was kept; nothing where there is no such file, or a damaged one, which is then made again."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: str(stored[name]) if name == KEY else stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, BadZipFile):
        return {}
