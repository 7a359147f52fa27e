"""Copy the tables that pages quote from docs/results into the pages, and check the figures that they link there.

    .venv/bin/python docs/quote_results.py            # rewrites what differs
    .venv/bin/python docs/quote_results.py --check    # changes nothing; exit code 1 and a list where something differs

A page quotes a table between `<!-- from docs/results/corners.md: Causes -->` and `<!-- end -->`, by the heading of its
section. A figure in the text is a link to the file that holds it, e.g. `[1.29%](../results/corners.md)`; its words must stand
in that file.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"
_QUOTE = re.compile(r"(<!-- from (\S+): (.+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_LINK = re.compile(r"\[([^\]]*)\]\(([^)#\s]+\.md)(?:#[^)]*)?\)")


class QuoteError(Exception):
    """A page quotes what is not there."""


def pages() -> list[Path]:
    """Every document but the results files themselves."""
    found = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "netlists").glob("*/README.md")]
    return sorted(page for page in found if page.parent != RESULTS)


def table_of(file: Path, heading: str) -> str:
    """The table of one section of a results file.

    Raises:
        QuoteError: no such file, no such section, or no table in it.
    """
    if not file.is_file():
        raise QuoteError(f"{file} does not exist; run the make target that writes it")
    sections = re.split(r"^## ", file.read_text(), flags=re.MULTILINE)[1:]
    body = next((section.partition("\n")[2] for section in sections if section.partition("\n")[0] == heading), None)
    if body is None:
        raise QuoteError(f"{file} has no section {heading!r}; it has {', '.join(s.partition(chr(10))[0] for s in sections)}")
    rows = [line for line in body.splitlines() if line.startswith("|")]
    if not rows:
        raise QuoteError(f"{file}, section {heading!r}, holds no table")
    return "\n".join(rows) + "\n"


def quoted(text: str) -> str:
    """The text of a page with its quoted tables as the results files hold them."""
    return _QUOTE.sub(lambda found: found[1] + table_of(ROOT / found[2], found[3]) + found[5], text)


def wrong_figures(page: Path) -> list[str]:
    """Figures of a page that the results file they link to does not hold."""
    wrong = []
    for words, target in _LINK.findall(_QUOTE.sub("", page.read_text())):
        file = (page.parent / target).resolve()
        if file.parent == RESULTS and re.search(r"\d", words) and not _holds(file.read_text(), words):
            wrong.append(f"{page.relative_to(ROOT)}: {words!r} is not in {file.relative_to(ROOT)}")
    return wrong


def _holds(text: str, words: str) -> bool:
    """Whether a text holds the words, whatever the blanks, and not as a part of a longer number."""
    pattern = re.escape("".join(words.split()))
    return bool(re.search(rf"(?<![\d.]){pattern}(?!\.?\d)", "".join(text.split())))


def main() -> int:
    """Rewrite or check every page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args().check
    wrong = []
    for page in pages():
        text = page.read_text()
        try:
            fresh = quoted(text)
        except QuoteError as error:
            wrong.append(f"{page.relative_to(ROOT)}: {error}")
            continue
        if fresh != text and check:
            wrong.append(f"{page.relative_to(ROOT)} quotes tables that have changed; run `make docs`")
        elif fresh != text:
            page.write_text(fresh)
            print(f"{page.relative_to(ROOT)}: tables quoted again")
        wrong += wrong_figures(page)
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
