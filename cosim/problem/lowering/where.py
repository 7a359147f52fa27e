"""Where in the author's own module and file an operation comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.fx.traceback as fx_traceback
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

_LAYER = "layer"
_OURS = (str(Path(torch.__file__).parent), str(Path(__file__).resolve().parents[2]))


def user_line(frames: Sequence[tuple[str, int, str]]) -> str:
    """The innermost frame that lies neither in torch nor in this package, e.g. "net.py, line 12: return self.last(h)".

    Args:
        frames: (file, line, text), outermost first.
    """
    for file, number, text in reversed(frames):
        if not str(Path(file).resolve() if file.startswith("/") else file).startswith(_OURS) and not file.startswith("<"):
            return f"{Path(file).name}, line {number}" + (f": {text.strip()}" if text.strip() else "")
    return ""


@contextmanager
def layers_named(module: Callable) -> Iterator[None]:
    """While a module is recorded, every operation is marked with the layer that runs it; see :func:`layer_of`."""
    names = {id(part): f"layer {name} ({type(part).__name__})" for name, part in module.named_modules() if name} if isinstance(
        module, nn.Module) else {}
    open_marks: list[Any] = []

    def enter(part: nn.Module, _: Any) -> None:
        if id(part) in names:
            mark = fx_traceback.annotate({_LAYER: names[id(part)]})
            mark.__enter__()
            open_marks.append(mark)

    def leave(part: nn.Module, *_: Any) -> None:
        if id(part) in names and open_marks:
            open_marks.pop().__exit__(None, None, None)

    with ExitStack() as stack:
        stack.enter_context(fx_traceback.preserve_node_meta())
        stack.callback(register_module_forward_pre_hook(enter).remove)
        stack.callback(register_module_forward_hook(leave, always_call=True).remove)
        yield


def layer_of(node: torch.fx.Node) -> str:
    """E.g. "layer net.1 (Tanh)"; "" where no layer of the module runs it."""
    return str((node.meta.get("custom") or {}).get(_LAYER, ""))
