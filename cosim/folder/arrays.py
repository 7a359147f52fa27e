"""Arrays beside the manifest: samples of a stimulus or of the truth, in files that the manifest names with their hashes."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosim.errors import CosimError, ResultsError

_NAME = re.compile(r"[a-z0-9_]+/[a-z0-9_]+\.npz")


@dataclass(frozen=True, kw_only=True)
class ArrayFile:
    """A file of arrays, as the manifest names it."""

    file: str  # below the compiled folder
    sha256: str  # of its bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.file):  # it is read, copied and removed by this name
            raise CosimError(f"{self.file!r} is no name of a file of arrays; compile again")

    def read(self, folder: Path) -> dict[str, np.ndarray]:
        """Its arrays, float64.

        Raises:
            ResultsError: missing, damaged, or other bytes than those that were compiled; names the file.
        """
        path = folder / self.file
        try:
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() != self.sha256:
                raise ResultsError(f"{path} is not the file that the decks were compiled with; compile again")
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                return {name: np.asarray(archive[name], dtype=np.float64) for name in archive}
        except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ResultsError(f"{path} is missing or damaged ({type(error).__name__}: {error}); compile again") from error


def encode_arrays(file: str, arrays: Mapping[str, np.ndarray]) -> tuple[ArrayFile, bytes]:
    """The record of a file and its bytes (.npz); the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    content = buffer.getvalue()
    return ArrayFile(file=file, sha256=hashlib.sha256(content).hexdigest()), content
