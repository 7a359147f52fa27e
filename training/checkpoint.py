"""Checkpoints: weights and provenance in one plain .npz file."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.errors import CheckpointError


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A network and where it came from."""

    net: nn.Sequential  # Linear and ReLU, float64
    provenance: dict  # JSON types


def save(path: Path, net: nn.Sequential, provenance: dict) -> Path:
    """Write a Sequential of Linear and ReLU; the file is replaced whole or not at all, same content gives same bytes.

    Arrays ``<k>.weight`` and ``<k>.bias`` (float64) for layer k, ``layers`` (the layers' names in order) and
    ``provenance`` (JSON).

    Raises:
        CheckpointError: another layer, or the file cannot be written.
    """
    arrays: dict[str, np.ndarray] = {"layers": np.array([type(layer).__name__ for layer in net])}
    for k, layer in enumerate(net):
        if not isinstance(layer, nn.Linear | nn.ReLU):
            raise CheckpointError(f"{path}: layer {k} is a {type(layer).__name__}; a checkpoint holds Linear and ReLU only")
        for name, value in layer.state_dict().items():
            arrays[f"{k}.{name}"] = value.double().numpy()
    arrays["provenance"] = np.array(json.dumps(provenance, sort_keys=True))
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_bytes() == buffer.getvalue():
            return path
        partial.write_bytes(buffer.getvalue())
        partial.replace(path)
    except OSError as error:
        raise CheckpointError(f"cannot write {path}: {error.strerror or error}; free space or choose another folder") from error
    finally:
        partial.unlink(missing_ok=True)
    return path


def load(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: missing, damaged, incomplete, inconsistent or not finite; names the file and the remedy.
    """
    remedy = "train again with `cosim train current --force` (or voltage), or restore the file"
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist; {remedy}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        kinds = [str(kind) for kind in arrays["layers"]]
        provenance = json.loads(str(arrays["provenance"]))
        net = nn.Sequential(*(_layer(kind, k, arrays) for k, kind in enumerate(kinds)))
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); {remedy}") from error
    except KeyError as error:
        raise CheckpointError(f"{path} has no array {error}; {remedy}") from error
    except ValueError as error:
        raise CheckpointError(f"{path} cannot be read ({error}); {remedy}") from error
    widths = [(layer.in_features, layer.out_features) for layer in net if isinstance(layer, nn.Linear)]
    for (_, out), (needed, _) in zip(widths[:-1], widths[1:], strict=True):
        if out != needed:
            raise CheckpointError(f"{path}: a layer of {out} outputs is followed by one of {needed} inputs; {remedy}")
    return Checkpoint(net=net, provenance=provenance)


def _layer(kind: str, k: int, arrays: dict[str, np.ndarray]) -> nn.Module:
    if kind == "ReLU":
        return nn.ReLU()
    if kind != "Linear":
        raise ValueError(f"layer {k} is a {kind!r}, not Linear or ReLU")
    weight, bias = arrays[f"{k}.weight"], arrays.get(f"{k}.bias")
    if weight.ndim != 2 or (bias is not None and bias.shape != weight.shape[:1]):
        raise ValueError(f"layer {k}: weight of shape {weight.shape} and bias of {None if bias is None else bias.shape}")
    for name, array in (("weight", weight), ("bias", bias)):
        if array is not None and not np.isfinite(array).all():
            raise ValueError(f"layer {k}: {name} holds a value that is not finite")
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        if bias is not None:
            layer.bias.copy_(torch.from_numpy(bias))
    return layer
