"""Expressions of a deck: evaluated to a number, or written as Verilog-A."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping

from circuits.cards.number import spice_number

_NUMBER = re.compile(r"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[a-z]*", re.I)
_VOLTAGE = re.compile(r"\bv\s*\(\s*([^\s(),]+)\s*(?:,\s*([^\s(),]+)\s*)?\)", re.I)
_BRACES = re.compile(r"\{([^{}]*)\}")
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh,
    "exp": math.exp, "ln": math.log, "sqrt": math.sqrt, "abs": abs, "min": min, "max": max, "pow": math.pow}
_OPERATORS: dict[type[ast.operator], tuple[str, Callable[[float, float], float]]] = {
    ast.Add: ("+", operator.add), ast.Sub: ("-", operator.sub), ast.Mult: ("*", operator.mul), ast.Div: ("/", operator.truediv)}


class UnknownExpression(ValueError):
    """An expression holds something that this reader does not know."""


def evaluate(text: str, names: Mapping[str, float]) -> float:
    """Value of a number such as "10u" or of an expression with or without braces, in parameters only.

    Raises:
        UnknownExpression: a name without value, a function or an operator beyond + - * / ** ^ and the usual functions, or a
            result that is not a finite number.
    """
    plain = spice_number(text)
    if plain is not None:
        return plain
    try:
        value = _value(_parse(text.replace("{", "(").replace("}", ")")), names)
    except (ArithmeticError, ValueError, TypeError) as failed:
        raise UnknownExpression(f"{text!r}: {failed}") from failed
    if isinstance(value, complex) or not math.isfinite(value):
        raise UnknownExpression(f"{text!r} is {value}, not a finite number")
    return float(value)


def verilog(text: str, names: Mapping[str, float]) -> tuple[str, list[str], list[float]]:
    """A behavioural source's expression as Verilog-A.

    Returns:
        The text, in V(c0), V(c1), ... and p0, p1, ...; the nodes that c0, c1, ... stand for; and the values of the expressions
            in braces, which p0, p1, ... stand for.
    Raises:
        UnknownExpression: as for :func:`evaluate`.
    """
    nodes: list[str] = []
    values: list[float] = []
    leaves: dict[str, str] = {}

    def control(node: str) -> str:
        if node not in nodes:
            nodes.append(node)
        return f"c{nodes.index(node)}"

    def voltage(match: re.Match[str]) -> str:
        name = f"leaf_{len(leaves)}"
        leaves[name] = f"V({', '.join(control(node.lower()) for node in match.groups() if node and node != '0')})"
        if match[1] == "0":
            leaves[name] = "0.0" if leaves[name] == "V()" else f"(-{leaves[name]})"
        return name

    def parameter(match: re.Match[str]) -> str:
        values.append(evaluate(match[1], names))
        name = f"leaf_{len(leaves)}"
        leaves[name] = f"p{len(values) - 1}"
        return name

    written = _write(_parse(_BRACES.sub(parameter, _VOLTAGE.sub(voltage, text))), leaves, names)
    return written, nodes, values


def _parse(text: str) -> ast.expr:
    python = _NUMBER.sub(_number, text).replace("^", "**").strip().lower()
    try:
        return ast.parse(python, mode="eval").body
    except SyntaxError as failed:
        raise UnknownExpression(f"{text!r} is not an expression of + - * / ** and functions") from failed


def _number(match: re.Match[str]) -> str:
    value = spice_number(match[0])
    if value is None:
        raise UnknownExpression(f"{match[0]!r} is not a number")
    return repr(value)


def _value(node: ast.expr, names: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=float() | int()):
            return node.value
        case ast.Name() if node.id in names:
            return names[node.id]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            inner = _value(node.operand, names)
            return -inner if isinstance(node.op, ast.USub) else inner
        case ast.BinOp() if type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)][1](_value(node.left, names), _value(node.right, names))
        case ast.BinOp(op=ast.Pow()):
            return math.pow(_value(node.left, names), _value(node.right, names))
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_value(argument, names) for argument in node.args))
    raise UnknownExpression(f"{ast.unparse(node)!r} is not known")


def _write(node: ast.expr, leaves: Mapping[str, str], names: Mapping[str, float]) -> str:
    match node:
        case ast.Name() if node.id in leaves:
            return leaves[node.id]
        case ast.Constant() | ast.Name():
            return f"{_value(node, names)!r}"
        case ast.UnaryOp(op=ast.USub()):
            return f"(-{_write(node.operand, leaves, names)})"
        case ast.BinOp() if type(node.op) in _OPERATORS:
            sign = _OPERATORS[type(node.op)][0]
            return f"({_write(node.left, leaves, names)} {sign} {_write(node.right, leaves, names)})"
        case ast.BinOp(op=ast.Pow()):
            return f"pow({_write(node.left, leaves, names)}, {_write(node.right, leaves, names)})"
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS:
            return f"{name}({', '.join(_write(argument, leaves, names) for argument in node.args)})"
    raise UnknownExpression(f"{ast.unparse(node)!r} is not known")
