"""Checkpoints of twins: parameters, units, range, initial states and provenance in an .npz file that is read without pickle."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import torch

from training.checkpoint import library_versions, read_archive, write_archive
from training.errors import CheckpointError, TrainingError
from training.twins.lstm import LSTMTwin
from training.twins.ode import ODETwin
from training.twins.sde import SDETwin
from training.twins.twin import Scale, Twin

REMEDY = "fit the twin again with `cosim device fit`, or restore the file"
_KINDS = {"ode": (ODETwin, ("hidden",)), "sde": (SDETwin, ("hidden", "n_auxiliaries", "noise_hidden")),
          "lstm": (LSTMTwin, ("cells",))}
_UNITS = ("x_mean", "x_std", "s_low", "s_high")


def save_twin(path: Path | str, twin: Twin) -> Path:
    """Write a twin, float64; the file is replaced whole or not at all, and the same twin gives the same bytes.

    Raises:
        CheckpointError: the file cannot be written.
    """
    names = _KINDS[twin.kind][1]
    about = {"kind": twin.kind, "n_inputs": twin.n_inputs, "delays": twin.delays, "step_time": twin.step_time,
             "device": twin.device_name, "sizes": {name: getattr(twin, name) for name in names},
             "provenance": {"versions": library_versions(), **twin.provenance}}
    arrays = {name: value.detach().double().numpy() for name, value in twin.state_dict().items()}
    buffer = io.BytesIO()
    np.savez(buffer, about=np.array(json.dumps(about, sort_keys=True)), **arrays)
    return write_archive(Path(path), buffer.getvalue())


def load_twin(path: Path | str) -> Twin:
    """Read a twin and check everything in it.

    Raises:
        CheckpointError: missing, damaged, of another kind, incomplete or not finite; names the file, the array, the remedy.
    """
    path = Path(path)
    arrays = read_archive(path, REMEDY)
    try:
        about = json.loads(str(arrays.pop("about")))
        make, names = _KINDS[about["kind"]]
        for name, array in arrays.items():
            if not (np.issubdtype(array.dtype, np.floating) and np.isfinite(array).all()):
                raise CheckpointError(f"{path}: {name} holds a value that is not a finite number; {REMEDY}")
        scale = Scale(**{name: torch.from_numpy(arrays[name]) for name in _UNITS}, step_time=float(about["step_time"]))
        twin = make(scale, about["n_inputs"], about["delays"], torch.from_numpy(arrays["starts"]),
                    **{name: about["sizes"][name] for name in names})
        twin.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    except KeyError as error:
        raise CheckpointError(f"{path} is no checkpoint of a twin, it has no {error}; {REMEDY}") from error
    except (ValueError, TypeError, RuntimeError, TrainingError) as error:  # load_state_dict's shapes are RuntimeErrors
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path} is inconsistent ({' '.join(str(error).split())}); {REMEDY}") from error
    twin.device_name, twin.provenance = about["device"], about["provenance"]
    return twin.eval()
