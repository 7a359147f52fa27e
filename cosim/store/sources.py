"""Code that a result depends on, to go into its key: a result made by other code is not current."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from pathlib import Path

import grimp

from cosim.store.files import content_key

ROOMS = ("circuits", "cosim", "training")
# Run only where an experiment or an option asks for them: they count where they are named, not where they are imported.
OPTIONAL = ("cosim.diagnosis.trim", "cosim.diagnosis.correction")


@cache
def source_key(*modules: str, within: tuple[str, ...] = ROOMS) -> str:
    """Identity of everything that modules run: themselves and whatever of ours they import, however far down.

    Each file counts with its place and its text, so that a file that was moved or renamed counts as another one. Files that
    lie beside the modules (macromodels, the engine's start-up file, page templates) count with them. An import of one of
    ``OPTIONAL`` is not followed; who runs such a module names it.

    Args:
        modules: dotted names; a package stands for every module in it.
        within: rooms and packages to look into; an import of anything else is not followed.
    """
    graph, reached = _graph(), set()
    for name in modules:
        here = {name} | graph.find_descendants(name)
        reached |= here.union(*(graph.find_upstream_modules(module) for module in here))
    counted = {name for name in reached if any(name == place or name.startswith(f"{place}.") for place in within)}
    files = sorted({file for name in counted for file in _files(name)})
    return content_key(part for place, file in files for part in (place, file.read_bytes()))


def code_key(function: Callable) -> str:
    """Identity of a function's code: of ours as :func:`source_key`, of anybody else's with every file of his that is loaded.

    Python's own modules and installed packages do not count. A function without a file, as one typed into a session, has no
    key that it could be known again by: it gets another one each time.
    """
    if function.__module__.partition(".")[0] in ROOMS:
        return source_key(function.__module__)
    own = Path(function.__code__.co_filename)
    if not own.is_file():
        return content_key([os.urandom(16)])
    installed = [Path(sysconfig.get_paths()[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    files = {own.resolve()}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name not in ("__main__", "__mp_main__") and name.partition(".")[0] not in ROOMS and Path(file).is_file():
            files.add(Path(file).resolve())
    return content_key(part for file in sorted(files) if not any(file.is_relative_to(place) for place in installed)
                       for part in (file.name, file.read_bytes()))


@cache
def _graph() -> grimp.ImportGraph:
    graph = grimp.build_graph(*ROOMS, cache_dir=None, exclude_type_checking_imports=True)
    for name in OPTIONAL:
        for importer in graph.find_modules_that_directly_import(name):
            graph.remove_import(importer=importer, imported=name)
    return graph


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
