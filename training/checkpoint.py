"""Checkpoints: weights and provenance in a plain .npz file that is read without pickle."""

import importlib.metadata
import io
import json
import os
import platform
import zipfile
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.errors import CheckpointError

REMEDY = ("train again with `cosim train current --force` (or voltage; a network of Lorenz96: delete it and run `cosim "
          "lorenz96`), or restore the file")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A network in model units, and where it came from."""

    net: nn.Sequential  # Linear and ReLU, float64
    provenance: dict  # JSON types


def library_versions() -> dict[str, str]:
    """Versions that can change trained weights."""
    names = ("torch", "torchdiffeq", "numpy", "scipy")
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in names}}


def encode(net: nn.Sequential, provenance: dict) -> bytes:
    """The bytes of a checkpoint of a Sequential of Linear and ReLU; the same content gives the same bytes.

    They hold the arrays ``<k>.weight`` (out, in) and ``<k>.bias`` (out,) in float64 for layer k, ``layers`` (the names of the
    layers in order) and ``provenance`` (JSON).

    Raises:
        CheckpointError: there is a layer of another kind.
    """
    arrays: dict[str, np.ndarray] = {"layers": np.array([type(layer).__name__ for layer in net])}
    for k, layer in enumerate(net):
        if not isinstance(layer, nn.Linear | nn.ReLU):
            raise CheckpointError(f"layer {k} is a {type(layer).__name__}; a checkpoint holds Linear and ReLU only")
        for name, value in layer.state_dict().items():
            arrays[f"{k}.{name}"] = value.double().numpy()
    arrays["provenance"] = np.array(json.dumps(provenance, sort_keys=True))
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def save(path: Path, net: nn.Sequential, provenance: dict) -> Path:
    """Write a checkpoint. The file is replaced whole or not at all, and not touched when it holds these bytes already.

    Raises:
        CheckpointError: a layer that is neither Linear nor ReLU, or the file cannot be written.
    """
    return write_archive(Path(path), encode(net, provenance))


def write_archive(path: Path, content: bytes) -> Path:
    """Replace a file whole or not at all; it is not touched when it holds these bytes already.

    Raises:
        CheckpointError: the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_bytes() == content:
            return path
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise CheckpointError(f"cannot write {path}: {error.strerror or error}; free space or choose another folder") from error
    finally:
        partial.unlink(missing_ok=True)
    return path


def read_archive(path: Path, remedy: str) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, read without pickle.

    Raises:
        CheckpointError: missing or damaged; names the file and ends with the remedy.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist; {remedy}")
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("one bare array, not an archive")
        with archive:
            return dict(archive)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, zlib.error) as error:  # zipfile's repertoire
        raise CheckpointError(f"{path} is damaged ({error}); {remedy}") from error


def load(path: Path, remedy: str = REMEDY) -> Checkpoint:
    """Read a checkpoint and check everything in it.

    Args:
        remedy: what to do about a file that cannot be used; it ends the message of an error.

    Raises:
        CheckpointError: missing, damaged, incomplete, inconsistent or not finite; names the file, the array, the remedy.
    """
    path = Path(path)
    arrays = read_archive(path, remedy)
    try:
        provenance = json.loads(str(arrays["provenance"]))
        net = nn.Sequential(*(_layer(str(kind), k, arrays) for k, kind in enumerate(arrays["layers"])))
    except KeyError as error:
        raise CheckpointError(f"{path} has no array {error}; {remedy}") from error
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); {remedy}") from error
    linears = [layer for layer in net if isinstance(layer, nn.Linear)]
    if not linears or not isinstance(provenance, dict):
        raise CheckpointError(f"{path} holds {len(linears)} Linear layers and provenance of type "
                              f"{type(provenance).__name__}, not a network and its provenance; {remedy}")
    for before, after in pairwise(linears):
        if before.out_features != after.in_features:
            raise CheckpointError(f"{path}: a layer of {before.out_features} outputs is followed by one of "
                                  f"{after.in_features} inputs; {remedy}")
    widths = [linears[0].in_features, *(layer.out_features for layer in linears)]
    if provenance.get("widths", widths) != widths:
        raise CheckpointError(f"{path}: the arrays have widths {widths}, the provenance {provenance['widths']}; {remedy}")
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
        if array is not None and not (np.issubdtype(array.dtype, np.floating) and np.isfinite(array).all()):
            raise ValueError(f"{k}.{name} is {array.dtype} and holds a value that is not a finite number")
    layer = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0], bias=bias is not None, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        if bias is not None:
            layer.bias.copy_(torch.from_numpy(bias))
    return layer
