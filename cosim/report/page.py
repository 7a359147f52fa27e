"""The HTML page: self-contained, pictures inside."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from cosim.report.style import png
from cosim.store.files import write_atomically

if TYPE_CHECKING:
    import matplotlib.pyplot as plt


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One picture of the page."""

    png: bytes
    caption: str

    @classmethod
    def drawn(cls, picture: plt.Figure, caption: str, file: Path | None = None) -> Figure:
        """A matplotlib figure, which is closed.

        Args:
            file: a PNG that is written too; None: the picture is in the page alone.
        """
        content = png(picture)
        if file is not None:
            write_atomically(file, content)
        return cls(png=content, caption=caption)

    @property
    def data(self) -> str:
        """The picture in base64."""
        return base64.b64encode(self.png).decode()


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """A frame of text cells."""

    frame: pd.DataFrame
    caption: str = ""

    @property
    def columns(self) -> list[str]:
        return [str(column) for column in self.frame.columns]

    @property
    def rows(self) -> list[list[str]]:
        return self.frame.astype(str).to_numpy().tolist()


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading, what is to be known before, pictures and tables."""

    title: str
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    note: str = ""


def write_page(path: Path, template: str, content: Mapping) -> Path:
    """Render a template of ``cosim/report/templates``; everything it shows is escaped."""
    environment = Environment(loader=PackageLoader("cosim.report"), autoescape=True, undefined=StrictUndefined)
    write_atomically(path, environment.get_template(template).render(content).encode())
    return path
