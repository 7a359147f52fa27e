"""A program without operations that it runs twice on the same values, as a layer that its author calls in two places."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from cosim.problem.lowering.program import Program, Ref, Step, replaced


def without_repeats(program: Program) -> Program:
    """The same program, bit for bit, in which every value is made once."""
    first: dict[str, str] = {}  # a value -> the one that is the same
    known: dict[str, str] = {}  # operation and arguments -> value
    steps: list[Step] = []
    for name, array in program.constants.items():
        first[name] = known.setdefault(f"{array.dtype} {array.shape} {array.tobytes().hex()}", name)

    def put(ref: Ref) -> Ref:
        return Ref(name=first.get(ref.name, ref.name))

    for step in program.steps:
        args, kwargs = replaced(step.args, put), replaced(dict(step.kwargs), put)
        key = json.dumps([step.operation, args, kwargs], default=_as_text, sort_keys=True)
        first[step.name] = known.setdefault(key, step.name)
        if first[step.name] == step.name:
            steps.append(replace(step, args=args, kwargs=kwargs))
    constants = {name: array for name, array in program.constants.items() if first[name] == name}
    return replace(program, steps=tuple(steps), constants=constants, result=first.get(program.result, program.result))


def _as_text(value: Any) -> str:
    return f"ref {value.name}" if isinstance(value, Ref) else f"{type(value).__name__} {value!r}"
