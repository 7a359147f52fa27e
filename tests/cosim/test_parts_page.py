"""`cosim parts`: its table, its exit code, its committed page."""

from dataclasses import replace
from pathlib import Path

import pytest
import typer

from circuits.benches.findings import BENCHES, Finding, bench_decks, run_benches
from cosim.cli.commands import parts as command
from cosim.report.quantity import percent, quantity
from cosim.studies.parts.report import findings_table, key_of, page_key, write_parts_page

COMMITTED = Path(__file__).parents[2] / "docs" / "results" / "parts.html"


def exact(bench):
    return Finding(bench=bench, model=bench.figure, compiled=bench.figure if bench.part == "opa4990" else None)


def test_committed_page_is_drawn_from_these_parts_and_benches():
    assert key_of(COMMITTED) == page_key(), "run `make parts` and commit docs/results/parts.html"


def test_committed_page_is_self_contained_and_small():
    text = COMMITTED.read_text()
    assert len(text) < 600e3
    assert text.count("data:image/png;base64,") == text.count("<img") == 3
    assert "http" not in text


def test_key_follows_decks_and_figures(monkeypatch):
    before = page_key()
    monkeypatch.setattr("cosim.studies.parts.report.bench_decks", lambda: bench_decks()[1:])
    other_decks = page_key()
    monkeypatch.undo()
    monkeypatch.setattr("cosim.studies.parts.report.BENCHES", (replace(BENCHES[0], source="another"), *BENCHES[1:]))
    assert len({before, other_decks, page_key()}) == 3


def test_the_page_holds_table_and_curves(tmp_path):
    findings, results = run_benches(tmp_path / "decks", workers=2)
    page = write_parts_page(tmp_path / "parts.html", findings, results, tmp_path / "figures")
    text = page.read_text()
    assert text.count("data:image/png;base64,") == len(list((tmp_path / "figures").glob("*.png"))) == 3
    assert text.count("<tr class=") == len(BENCHES)
    assert key_of(page) == page_key()


def test_a_page_that_is_not_there_has_no_key(tmp_path):
    assert key_of(tmp_path / "none.html") is None


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """The command with given findings instead of simulations, on a page that is current."""
    monkeypatch.setattr(command, "require_engine", lambda: None)
    monkeypatch.setattr(command, "write_parts_page", lambda *drawn: None)

    def call(findings):
        monkeypatch.setattr(command, "run_benches", lambda folder, workers: (findings, {}))
        command.run(tmp_path / "parts.html", tmp_path, workers=1, force=False, quiet=True, docs=tmp_path / "parts.md")
        return capsys.readouterr().out
    return call


def test_table_has_a_line_a_property(run):
    out = run([exact(bench) for bench in BENCHES])
    parts = [line.split("│")[1].strip() for line in out.splitlines() if line.startswith("│ ")]
    assert len([part for part in parts if part]) == len(BENCHES)  # a long cell goes on in a line whose first cell is empty
    assert "4.5 V/µs" in out and "OUTSIDE" not in out


def test_documents_get_the_table_unless_the_check_failed(run, tmp_path):
    file = tmp_path / "parts.md"
    with pytest.raises(typer.Exit):
        run([Finding(bench=BENCHES[0], model=0.0)])
    assert not file.exists()
    run([exact(bench) for bench in BENCHES])
    rows = [line for line in file.read_text().splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len(BENCHES)
    cells = ("opa4990", "slew rate, rising", "10 V step, ±20 V", *3 * ["4.5 V/µs"], "0.0 %", "5 %", "datasheet front page")
    assert f"| {' | '.join(cells)} |" in rows


def test_unnamed_deviation_ends_in_exit_code_1(run, capsys):
    bench = next(b for b in BENCHES if b.property == "quiescent current")
    with pytest.raises(typer.Exit) as ended:
        run([Finding(bench=bench, model=200e-6)])
    assert ended.value.exit_code == 1
    out = capsys.readouterr().out
    assert "outside: opa4990 quiescent current (no load); correct the model, or name it" in out
    assert "OUTSIDE" in out


def test_words_that_are_not_in_the_header_do_not_count(run, capsys):
    bench = replace(next(b for b in BENCHES if b.named), named="nobody wrote this")
    with pytest.raises(typer.Exit):
        run([Finding(bench=bench, model=0.5 * bench.figure)])
    assert "do not stand in the header" in capsys.readouterr().out


def test_row():
    bench = next(b for b in BENCHES if b.property == "open-loop gain")
    row = findings_table([Finding(bench=bench, model=129.8, compiled=129.9)]).iloc[0].to_dict()
    assert row == {"part": "opa4990", "property": "open-loop gain", "condition": "dc", "datasheet": "130 dB",
                   "model": "129.8 dB", "compiled": "129.9 dB", "deviation": "-0.2 dB", "tolerance": "0.5 dB",
                   "source": "unverified"}


@pytest.mark.parametrize(("value", "unit", "text"), [
    (1.1e6, "Hz", "1.1 MHz"), (4.404e6, "V/s", "4.404 V/µs"), (30e-9, "V/sqrt(Hz)", "30 nV/√Hz"), (510, "A/m", "510 µA/µm"),
    (1.6e-3, "ohm m", "1.6 kΩ·µm"), (-80e-3, "A", "-80 mA"), (0, "A", "0 A"), (999.96, "ohm", "1 kΩ"), (60, "deg", "60 °"),
    (2e-18, "C", "0.002 fC"),
])
def test_quantity(value, unit, text):
    assert quantity(value, unit) == text


def test_signs():
    assert quantity(1.2e-7, "V", digits=2, sign="+") == "+120 nV"
    assert [percent(x) for x in (0.0249, -0.1394, -1e-6)] == ["+2.5 %", "-13.9 %", "0.0 %"]
