"""Code that a result depends on, to go into its key: a result made by other code is not current."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import grimp

from cosim.store.files import content_key

ROOMS = ("circuits", "cosim", "training")


@cache
def source_key(*modules: str, within: tuple[str, ...] = ROOMS) -> str:
    """Identity of everything that modules run: themselves and whatever of ours they import, however far down.

    Each file counts with its place and its text, so that a file that was moved or renamed counts as another one. Files that
    lie beside the modules (macromodels, the engine's start-up file, page templates) count with them.

    Args:
        modules: dotted names; a package stands for every module in it.
        within: rooms and packages to look into; an import of anything else is not followed.
    """
    graph, reached = _graph(), set()
    for name in modules:
        here = {name} | graph.find_descendants(name)
        reached |= here.union(*(graph.find_upstream_modules(one) for one in here))
    counted = {name for name in reached if any(name == place or name.startswith(f"{place}.") for place in within)}
    files = sorted({file for name in counted for file in _files(name)})
    return content_key(part for place, file in files for part in (place, file.read_bytes()))


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOMS, cache_dir=None, exclude_type_checking_imports=True)


def _files(module: str) -> list[tuple[str, Path]]:
    """A module's file and what lies beside it that is no code, each with its place from the rooms' own folder on."""
    path = _folder(module)
    own = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    beside = [file for folder in (own.parent, own.parent / "templates") if folder.is_dir() for file in folder.iterdir()
              if file.is_file() and file.suffix not in (".py", ".pyc")]
    top = _folder(module.partition(".")[0]).parent
    return [(file.relative_to(top).as_posix(), file) for file in (own, *beside)]


def _folder(module: str) -> Path:
    """Where a module's file is, without its suffix."""
    here = Path(__file__).resolve().parents[2]  # the three rooms lie side by side
    return here.joinpath(*module.split("."))
