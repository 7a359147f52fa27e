"""Options that many commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results only.")]
Workers = Annotated[int, typer.Option(min=1, help="Simulations at a time.")]
