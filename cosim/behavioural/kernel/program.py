"""C of a recorded slope, and of the Runge-Kutta loop around it.

Boards lie next to each other in memory, WIDTH of them, so that the compiler can use the processor's vector instructions.
Operations that follow each other on the same number of lines share a loop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cosim.behavioural.kernel.traced import Step, Tape, Traced

CALLS = ("sqrt", "exp", "log", "log1p", "asinh", "fabs", "copysign")
PREFIX = {"neg": "-({0})", "max": "(({0}) > ({1}) ? ({0}) : ({1}))", "min": "(({0}) < ({1}) ? ({0}) : ({1}))",
          "where": "(({0}) != 0.0 ? ({1}) : ({2}))", "&": "(({0}) * ({1}))"} | {
    name: f"(({{0}}) {name} ({{1}}) ? 1.0 : 0.0)" for name in (">", "<", ">=", "<=")} | {
    name: f"(({{0}}) {name} ({{1}}))" for name in "+-*/"}
APART = ("product", "join", "pick", "state", "generators", "number")
LOOP = """
/* s and its slopes at the ends of all steps; the 3/8 rule */
void solve(long steps, const double *h, const double *u, const double *du, const double *low, const double *high,
           const double *p, const double *q, double *values, double *slopes)
{
    double a[N * W], b[N * W], c[N * W], d[N * W], at[N * W];
    double *s = values;
    for (long n = 0; n < steps; n++, s += N * W) {
        const double *v = u + 4 * n * U, *dv = du + 4 * n * U;
        const long next = n + 1 < steps ? n + 1 : n;
        const double x = h[n];
        slope(s, v, dv, low[n], high[n], p, q, a);
        for (int j = 0; j < N * W; j++) at[j] = s[j] + (x / 3) * a[j];
        slope(at, v + U, dv + U, low[n], high[n], p, q, b);
        for (int j = 0; j < N * W; j++) at[j] = s[j] + x * (b[j] - a[j] * (1.0 / 3));
        slope(at, v + 2 * U, dv + 2 * U, low[n], high[n], p, q, c);
        for (int j = 0; j < N * W; j++) at[j] = s[j] + x * (a[j] - b[j] + c[j]);
        slope(at, v + 3 * U, dv + 3 * U, low[next], high[next], p, q, d);
        for (int j = 0; j < N * W; j++) {
            s[N * W + j] = s[j] + (x / 8) * (a[j] + 3 * (b[j] + c[j]) + d[j]);
            slopes[n * N * W + j] = a[j];
            slopes[(n + 1) * N * W + j] = d[j];
        }
    }
}
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """Its text, which says nothing but the board's topology, and the figures in the order in which it wants them."""

    text: str
    constants: list[np.ndarray]  # (boards or 1, lines...) each
    numbers: np.ndarray  # that all boards share
    width: int  # boards side by side
    n_states: int
    stack: int  # numbers that it keeps on the stack

    def figures(self, boards: slice) -> np.ndarray:
        """Of the program's width of boards: (lines of all figures, width)."""
        count = len(range(boards.start, boards.stop))
        columns = np.empty((sum(x[0].size for x in self.constants), self.width))
        at = 0
        for x in self.constants:
            rows = (x[boards] if len(x) > 1 else x).reshape(-1, x[0].size).T
            columns[at : at + x[0].size, :count] = rows
            at += x[0].size
        columns[:, count:] = columns[:, count - 1 : count]  # the last chunk is filled up with its last board
        return columns


def write_program(tape: Tape, slope: Traced, width: int, n_external: int) -> Program:
    """The text of all that the slope needs."""
    needed, wanted = set(), [slope.number]
    while wanted:
        number = wanted.pop()
        if number not in needed:
            needed.add(number)
            wanted += [x.number for x in tape.steps[number].operands if isinstance(x, Traced) and x.constant is None]
    order = sorted(needed)
    group: dict[int, int] = {}  # the first instruction of the loop that each one is in
    last, loop = None, -1
    for number in order:
        step = tape.steps[number]
        kind = (step.n_lines, step.kind in APART)
        if step.kind in APART or kind != last:
            loop = number
        group[number], last = loop, kind
    stored = {x.number for number in order for x in tape.steps[number].operands if isinstance(x, Traced) and x.constant is None
              and (group[x.number] != group[number] or tape.steps[number].kind in APART)} | {slope.number}
    writer = _Writer(tape, group)
    body, open_loop = [], None
    for number in order:
        step = tape.steps[number]
        if open_loop is not None and group[number] != open_loop:
            body.append("    }")
            open_loop = None
        if step.kind in APART:
            body += writer.apart(number, step)
        else:
            if open_loop is None:
                body.append(f"    for (int j = 0; j < {step.n_lines} * W; j++) {{")
                open_loop = group[number]
            body.append(f"        const double x{number} = {writer.expression(number)};")
            if number in stored:
                body.append(f"        t{number}[j] = x{number};")
    body += ["    }"] if open_loop is not None else []
    arrays = [f"    double t{number}[{tape.steps[number].n_lines} * W];" for number in order
              if (number in stored or tape.steps[number].kind in APART) and tape.steps[number].kind != "number"]
    text = "\n".join([
        "/* The slope of a board's capacitors, written by cosim.behavioural.kernel.program. */", "#include <math.h>",
        f"#define W {width}", f"#define N {slope.n_lines}", f"#define U {n_external}", "",
        "static void slope(const double *s, const double *u, const double *du, double low, double high, const double *p,",
        "                  const double *restrict q, double *out)", "{",
        # by name: what is read under a condition keeps a compiler from vector instructions
        *(f"    const double q{k} = q[{k}];" for k in range(len(writer.numbers))), *arrays, *body,
        f"    for (int j = 0; j < N * W; j++) out[j] = t{slope.number}[j];", "}", LOOP])
    return Program(text=text, constants=writer.constants, numbers=np.array(writer.numbers), width=width, n_states=slope.n_lines,
                   stack=width * sum(tape.steps[number].n_lines for number in order))


class _Writer:
    def __init__(self, tape: Tape, group: dict[int, int]) -> None:
        self.tape, self.group = tape, group
        self.numbers: list[float] = []
        self.constants: list[np.ndarray] = []
        self.places: dict[int, int] = {}
        self.size = 0

    def place(self, constant: np.ndarray) -> int:
        """Where a figure begins, in lines."""
        if id(constant) not in self.places:
            self.places[id(constant)] = self.size
            self.constants.append(constant)
            self.size += constant[0].size
        return self.places[id(constant)]

    def operand(self, x: object, number: int) -> str:
        """What an operation line by line reads."""
        step = self.tape.steps[number]
        if not isinstance(x, Traced):
            self.numbers.append(float(x))
            return f"q{len(self.numbers) - 1}"
        if x.constant is None and self.tape.steps[x.number].kind == "number":
            return str(self.tape.steps[x.number].operands[0])
        if x.n_lines != step.n_lines:
            raise ValueError(f"{step.kind} of {x.n_lines} lines where {step.n_lines} are wanted")
        if x.constant is None and self.group[x.number] == self.group[number]:
            return f"x{x.number}"
        return self.array(x)

    def array(self, x: Traced) -> str:
        return f"p[{self.place(x.constant)} * W + j]" if x.constant is not None else f"t{x.number}[j]"

    def expression(self, number: int) -> str:
        step = self.tape.steps[number]
        given = [self.operand(x, number) for x in step.operands]
        return f"{step.kind}({', '.join(given)})" if step.kind in CALLS else PREFIX[step.kind].format(*given)

    def apart(self, number: int, step: Step) -> list[str]:
        """What is no operation line by line."""
        if step.kind == "number":
            return []
        if step.kind == "state":
            return [f"    for (int j = 0; j < {step.n_lines} * W; j++) t{number}[j] = s[j];"]
        if step.kind == "generators":
            return [f"    for (int j = 0; j < {step.n_lines} * W; j++) t{number}[j] = {step.operands[0]}[j / W];"]
        if step.kind == "pick":
            source = step.operands[0].number
            return [f"    for (int w = 0; w < W; w++) t{number}[{k} * W + w] = t{source}[{place} * W + w];"
                    for k, place in enumerate(step.places)]
        if step.kind == "join":
            first, second = step.operands
            return [f"    for (int j = 0; j < {x.n_lines} * W; j++) t{number}[{at} * W + j] = {self.array(x)};"
                    for at, x in ((0, first), (first.n_lines, second)) if x.n_lines]
        matrix, x = step.operands
        n, at = x.n_lines, self.place(matrix.constant)
        return [f"    for (int k = 0; k < {step.n_lines}; k++) {{", "        double sum[W] = {0};",
                f"        for (int i = 0; i < {n}; i++)", "            for (int w = 0; w < W; w++)",
                f"                sum[w] += p[({at} + k * {n} + i) * W + w] * t{x.number}[i * W + w];",
                f"        for (int w = 0; w < W; w++) t{number}[k * W + w] = sum[w];", "    }"]
