"""`cosim inspect`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from circuits.array.conductances import read_conductances
from circuits.array.crossbar import SIZE
from circuits.array.tiling import Tile
from circuits.netlist.inspection import KINDS, inspect_deck
from circuits.parts import FOLDER
from cosim.console import Console
from cosim.folder.deck_files import decks_of
from cosim.folder.floor_plan import floor_plan
from cosim.folder.manifest import MANIFEST_NAME, read_manifest

CHANNELS = {"opa4990": 4, "tmux1134": 4}  # a package


def run(target: Path) -> None:
    """Print blocks, devices, bill of materials and, for a compiled twin, its conductances."""
    console = Console()
    deck = decks_of(target)[0]
    contents = inspect_deck(deck)
    parts = {path.stem for path in FOLDER.glob("*.lib")}
    console.say(f"{deck}: {sum(contents.devices.values())} devices, {contents.nodes} nodes, "
                f"{contents.depth} levels of hierarchy")
    blocks = [{"block": name, "instances": count} for name, count in sorted(contents.instances.items()) if name not in parts]
    console.table(pd.DataFrame(blocks, columns=["block", "instances"]), "blocks")
    devices = [{"what": KINDS[letter], "count": count} for letter, count in sorted(contents.devices.items())]
    console.table(pd.DataFrame(devices, columns=["what", "count"]), "devices, macromodels expanded")
    console.table(_bill(contents.instances), "bill of materials")
    if (deck.parent / MANIFEST_NAME).is_file():
        console.say("floor plan, source lines x bit lines in use of each 32x32 array")
        console.say(floor_plan(read_manifest(deck.parent).board.layers))
        console.table(_conductances(deck.parent), "conductances, cells in use")


def _bill(instances) -> pd.DataFrame:
    rows = []
    for name, count in sorted(instances.items()):
        if name in CHANNELS:
            packages = -(-count // CHANNELS[name])
            rows.append({"what": name, "count": count, "packages": packages})
    arrays = sum(count * _arrays_in(name) for name, count in instances.items())
    if arrays:
        rows.append({"what": f"{SIZE}x{SIZE} 1T1R array", "count": arrays, "packages": arrays})
    per_block = {"clamp": ("1n4148", 2), "relu_tia": ("1n4148", 2), "rectifier": ("1n4148", 2)}
    diodes = sum(instances.get(block, 0) * number for block, (_, number) in per_block.items())
    if diodes:
        rows.append({"what": "1n4148", "count": diodes, "packages": diodes})
    return pd.DataFrame(rows, columns=["what", "count", "packages"])


def _arrays_in(block: str) -> int:
    """How many arrays a block stands for: array_<name> is one, arrays_<name>_2x5 is ten."""
    merged = re.fullmatch(r"arrays_\w+_(\d+)x(\d+)", block)
    return int(merged[1]) * int(merged[2]) if merged else int(block.startswith("array_"))


def _conductances(folder: Path) -> pd.DataFrame:
    rows, board = [], read_manifest(folder).board
    for layer in board.layers:
        used = 1e6 * np.concatenate([_used(folder, tile) for tile in layer.tiles])
        rows.append({"block": layer.name, "cells": used.size, "min [uS]": f"{used.min():.2f}",
                     "mean [uS]": f"{used.mean():.2f}", "max [uS]": f"{used.max():.2f}",
                     "idle at g_min": f"{(used < used.min() * 1.001).mean():.0%}", "r_f [ohm]": f"{layer.r_f:g}"})
    return pd.DataFrame(rows)


def _used(folder: Path, tile: Tile) -> np.ndarray:
    g = read_conductances(folder / "conductances" / f"{tile.name}.inc")
    return g[: tile.n_outputs, : tile.n_lines].ravel()
