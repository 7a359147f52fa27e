"""The decks that a user names: one file, or those of a folder."""

from __future__ import annotations

from pathlib import Path

from cosim.errors import ResultsError


def decks_of(target: Path) -> list[Path]:
    """The deck itself, or the decks of a folder: those that its manifest names, else every .cir.

    Raises:
        ResultsError: there is nothing of that name, or no deck in it.
    """
    if target.is_file():
        return [target]
    if not target.is_dir():
        raise ResultsError(f"{target} does not exist; name a deck (.cir) or a folder of decks")
    from cosim.folder.manifest import (  # loads torch, which takes seconds; a deck of one's own needs none of it
        MANIFEST_NAME,
        read_manifest,
    )

    if (target / MANIFEST_NAME).is_file():
        return [target / f"{name}.cir" for name in read_manifest(target).cases]
    decks = sorted(target.glob("*.cir"))
    if not decks:
        raise ResultsError(f"{target} holds no .cir deck; compile a network into it, or name another folder")
    return decks
