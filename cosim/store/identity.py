"""The identity of a value that a result is made from, to go into its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cosim.store.files import content_key
from cosim.store.sources import ROOMS

_PLAIN = (bool, int, float, complex, str, bytes, Path, type(None), np.generic)


def identity(value: Any) -> str:
    """A key of numbers, texts, arrays, and tuples, mappings and our own dataclasses of those; every digit counts.

    What an object of somebody else's class is depends on code that is not ours, and ``repr`` leaves out most of a large
    array, so neither is taken for an identity.

    Raises:
        TypeError: the value holds something else, whose identity cannot be told; names its class.
    """
    return content_key(_parts(value))


def _parts(value: Any) -> Iterator[str | bytes]:
    kind = type(value)
    yield f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(value, _PLAIN):
        yield repr(value)
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        yield f"{value.dtype.str} {value.shape}"
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, (tuple, list)):
        yield str(len(value))
        for item in value:
            yield from _parts(item)
    elif isinstance(value, Mapping):
        yield str(len(value))
        for name, item in value.items():
            yield from _parts(name)
            yield from _parts(item)
    elif is_dataclass(value) and kind.__module__.partition(".")[0] in ROOMS:
        for field in fields(value):
            yield field.name
            yield from _parts(getattr(value, field.name))
    else:
        raise TypeError(f"a {kind.__module__}.{kind.__qualname__} has no identity that could be told")
