"""The devices that come with the project, by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from circuits.dynamic.bistable_node import bistable_node
from circuits.dynamic.device import Device, DeviceError
from circuits.dynamic.equations import reference_leaky, ring_array_like, spin_ice_like
from circuits.dynamic.leaky_integrator import leaky_integrator
from circuits.dynamic.memristor_node import memristor_node

DEVICES: dict[str, Callable[[], Device]] = {
    maker.__name__: maker
    for maker in (leaky_integrator, memristor_node, bistable_node, reference_leaky, ring_array_like, spin_ice_like)
}


def find_device(name: str) -> Device:
    """The device of a name.

    Raises:
        DeviceError: there is none; names the closest.
    """
    if name not in DEVICES:
        close = difflib.get_close_matches(name, DEVICES, n=3, cutoff=0.5)
        near = f"closest: {', '.join(close)}; " if close else ""
        raise DeviceError(f"no device named {name!r}; {near}there are {', '.join(DEVICES)}")
    return DEVICES[name]()
