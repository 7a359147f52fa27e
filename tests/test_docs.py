"""The documents: links lead somewhere, quoted tables and figures are those of the results files, references are complete."""

import ast
import importlib.util
import json
import re
import subprocess
from pathlib import Path

import pytest
import typer

from cosim.cli.main import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md"), *(ROOT / "netlists").glob("*/README.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _script():
    spec = importlib.util.spec_from_file_location("quote_results", DOCS / "quote_results.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


quote_results = _script()


def name(page):
    return page.relative_to(ROOT).as_posix()


def anchors(page):
    text = page.read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return {*re.findall(r'<a id="([^"]+)">', text), *slugs}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    dead = []
    for target in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize("page", quote_results.pages(), ids=name)
def test_quoted_tables_are_those_of_the_results_files(page):
    assert quote_results.quoted(page.read_text()) == page.read_text(), "run `make docs`"


@pytest.mark.parametrize("page", quote_results.pages(), ids=name)
def test_figures_stand_in_the_file_that_they_link_to(page):
    assert quote_results.wrong_figures(page) == []


def test_documents_quote_something():
    texts = [page.read_text() for page in quote_results.pages()]
    assert sum(text.count("<!-- from docs/results/") for text in texts) > 10
    assert sum(len(re.findall(r"\[[^\]]*\d[^\]]*\]\([^)]*results/", text)) for text in texts) > 50


def test_a_wrong_table_and_a_wrong_figure_are_found(tmp_path, monkeypatch):
    results = tmp_path / "docs" / "results"
    results.mkdir(parents=True)
    (results / "corners.md").write_text("# C\n\n## Corners\n\nWorst.\n\n| what | MRE |\n| --- | --- |\n| cold | 1.29% |\n")
    monkeypatch.setattr(quote_results, "ROOT", tmp_path)
    monkeypatch.setattr(quote_results, "RESULTS", results)
    page = tmp_path / "docs" / "page.md"
    block = "<!-- from docs/results/corners.md: {} -->\n{}<!-- end -->\n"
    table = "| what | MRE |\n| --- | --- |\n| cold | 1.29% |\n"
    assert quote_results.quoted(block.format("Corners", "| old |\n")) == block.format("Corners", table)
    with pytest.raises(quote_results.QuoteError, match="no section 'Causes'; it has Corners"):
        quote_results.quoted(block.format("Causes", ""))
    for words, right in (("1.29%", True), ("1.29 %", True), ("29%", False), ("1.2", False), ("1.30%", False), ("table", True)):
        page.write_text(f"It is [{words}](results/corners.md) when cold.\n")
        assert (quote_results.wrong_figures(page) == []) == right, words


def test_results_files_say_what_wrote_them():
    for file in sorted((DOCS / "results").glob("*.md")):
        if file.stem not in ("index", "measured-once"):
            assert re.search(r"(Written|Printed) by `(cosim|python -m benchmarks|make) ?[^`]*`", file.read_text()), file.name


def test_every_results_file_is_in_the_index():
    listed = set(LINK.findall((DOCS / "results" / "index.md").read_text()))
    assert {file.name for file in (DOCS / "results").iterdir()} - {"index.md"} == listed


def test_make_targets_of_the_documents_exist():
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {target for page in PAGES for target in re.findall(r"`make ([a-z0-9-]+)", page.read_text())}
    assert asked - targets == set()


def test_documents_that_code_names_exist():
    words = ["git", "grep", "-hoE", r"docs/[a-z0-9_/-]+\.(md|html|py)", "--", "*.py", "*.lib", "*.html", "Makefile"]
    found = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=True).stdout.split()
    assert [path for path in dict.fromkeys(found) if path != "docs/page.md" and not (ROOT / path).is_file()] == []


def test_every_command_and_option_is_in_the_reference():
    text = (DOCS / "reference" / "commands.md").read_text()
    missing = []
    for command, parts in typer.main.get_command(app).commands.items():
        if f"`cosim {command}" not in text:
            missing.append(command)
        row = next((line for line in text.splitlines() if line.startswith(f"| `cosim {command}")), "")
        options = {option for part in parts.params for option in part.opts if option.startswith("--")}
        options -= {"--help", "--quiet", "--second-opinion"}  # the last is on unless --no-second-opinion is given
        missing += [f"{command} {option}" for option in sorted(options) if not re.search(rf"[` ]{option}\b", row)]
    assert missing == []


def test_every_field_of_the_manifest_is_in_the_reference():
    text = (DOCS / "reference" / "manifest.md").read_text()

    def fields(value, path):
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield path + "[]"
            for entry in value:
                yield from fields(entry, path + "[]")
        elif isinstance(value, dict) and path != "versions":
            for key, inner in value.items():
                yield from fields(inner, f"{path}.{key}" if path else key)
        else:
            yield path + ("[]" if value == [] and path.startswith("layers[]") else "")

    manifest = json.loads((ROOT / "netlists" / "hp_memristor" / "manifest.json").read_text())
    nested = ("layers[].tiles[].", "cases[].stimuli[].")
    missing = [path for path in dict.fromkeys(fields(manifest, "")) if path not in ("layers[]", "cases[]")
               and f"`{path.rpartition('.')[2] if path.startswith(nested) else path}`" not in text]
    assert missing == []


def test_glossary_defines_every_term_once():
    text = (DOCS / "explanation" / "glossary.md").read_text()
    ids = re.findall(r'<a id="([^"]+)">', text)
    assert len(ids) == len(set(ids)) > 100
    entries = re.findall(r'^\* <a id="[^"]+"></a>\*\*.+?(?=^\* |^## |\Z)', text, re.MULTILINE | re.DOTALL)
    assert len(entries) == len(ids)
    assert [entry[:40] for entry in entries if not entry.rstrip().endswith((".", ")"))] == []


def python_blocks():
    return [pytest.param(block, id=f"{name(page)}-{number}") for page in PAGES for number, block in enumerate(
        re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL))]


@pytest.mark.parametrize("block", python_blocks())
def test_imports_of_the_documents_work(block):
    tree = ast.parse(block)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(body=imports, type_ignores=[]), "documents", "exec"), {})


def test_the_example_of_many_boards_runs(monkeypatch, capsys):
    (block,) = re.findall(r"^```python\n(.*?)^```", (DOCS / "how-to" / "many-boards.md").read_text(), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(ROOT)
    exec(compile(block, "many-boards", "exec"), {})
    assert capsys.readouterr().out == "torch.Size([500, 100, 1])\n"
