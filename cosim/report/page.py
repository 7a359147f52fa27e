"""The HTML page: self-contained, pictures inside."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from cosim.store.files import write_atomically


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One picture of the page."""

    png: Path
    caption: str

    @property
    def data(self) -> str:
        """The picture in base64."""
        return base64.b64encode(self.png.read_bytes()).decode()


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading and its pictures."""

    title: str
    figures: Sequence[Figure]
    note: str = ""


def write_page(path: Path, template: str, content: Mapping) -> Path:
    """Render a template of ``cosim/report/templates``; everything it shows is escaped."""
    environment = Environment(loader=PackageLoader("cosim.report"), autoescape=True, undefined=StrictUndefined)
    write_atomically(path, environment.get_template(template).render(content).encode())
    return path
