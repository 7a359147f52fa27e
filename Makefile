# Every target sets up what it needs: a virtual environment with pinned packages, and ngspice 42 or newer with KLU.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# What measures figures also writes them to $(RESULTS), from where the documents quote them.
RESULTS := docs/results
QUOTE := $(BIN)/python docs/quote_results.py
.DEFAULT_GOAL := help
.PHONY: help setup engine hp-memristor hp-programming corners lorenz96 lorenz96-settings lorenz96-horizon trim fitting loops \
        devices twins device-networks deck-networks op-amp pictures parts test fuzz kills second-opinion convergence merged \
        speed docs lint netlists clean

help:  ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

setup: $(READY) engine  ## virtual environment, pinned packages, ngspice

engine:
	@.ci/install-ngspice

$(READY): pyproject.toml .ci/constraints.txt
	@.ci/install-python "$(PYTHON)" "$(VENV)"
	@touch $@

hp-memristor: setup  ## the HP memristor twin: train, compile, simulate, compare, report
	@$(BIN)/cosim hp-memristor --docs $(RESULTS)/hp-memristor.md
	@$(QUOTE)

hp-programming: setup  ## the same with programming error and 64 levels, 20 boards (about two minutes)
	@$(BIN)/cosim hp-programming --docs $(RESULTS)/hp-programming.md
	@$(QUOTE)

corners: setup  ## the same at every corner: temperature, supplies, offset, diodes, transistors, wires (about four minutes)
	@$(BIN)/cosim corners --docs $(RESULTS)/corners.md
	@$(BIN)/cosim corners training/checkpoints/hp_memristor_voltage.npz --docs $(RESULTS)/corners-voltage.md
	@$(QUOTE)

lorenz96: setup  ## the Lorenz96 twin at F = 6 and F = 8: train, compile, trim, simulate, compare, report
	@$(BIN)/cosim lorenz96 --docs $(RESULTS)/lorenz96.md
	@$(BIN)/cosim inspect runs/lorenz96/decks/f6_seed1 --loops --docs $(RESULTS)/lorenz96-loops.md
	@$(QUOTE)

lorenz96-horizon: setup  ## how far the chaotic ring is predicted: median of ten starts, torch and circuit (half an hour)
	@OMP_NUM_THREADS=1 $(BIN)/cosim lorenz96-horizon --docs $(RESULTS)/lorenz96-horizon.md
	@$(QUOTE)

trim: setup  ## what trimming a board is worth on Lorenz63 and on van der Pol, mu = 5 (six minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.trim --docs $(RESULTS)/trim.md
	@$(QUOTE)

lorenz96-settings: setup  ## why the Lorenz96 board runs as it does: time scale, neuron, lead, solver (about five minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.lorenz96_settings --docs $(RESULTS)/lorenz96-settings.md
	@$(QUOTE)

fitting: setup  ## smooth networks, fitted: what the substitution and the circuit cost (about ten minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.fitting --docs $(RESULTS)/fitting.md
	@$(QUOTE)

twins: setup  ## fits of twins of a noisy device that is an equation (four minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.twins --docs $(RESULTS)/twins.md
	@$(QUOTE)

device-networks: setup  ## Mackey-Glass on networks of such devices, twins against devices (five minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.device_networks --layers 3 --docs $(RESULTS)/device-networks.md
	@$(QUOTE)

deck-networks: setup  ## Mackey-Glass on a network of leaky integrators that is one ngspice deck (five minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.deck_networks --docs $(RESULTS)/deck-networks.md
	@$(QUOTE)

devices: setup  ## the dynamic devices against their physics, noise and branches, and what couples layers of them (five minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.devices --docs $(RESULTS)/devices.md
	@$(QUOTE)

loops: setup  ## phase margin and settling of every amplifier of the HP board (ten seconds)
	@$(BIN)/cosim inspect netlists/hp_memristor --loops --docs $(RESULTS)/hp-loops.md
	@$(QUOTE)

pictures: setup  ## the README's two pictures: the board, and the HP twin over torch (docs/pictures)
	@$(BIN)/python -m cosim.studies.hp_memristor.pictures docs/pictures

parts: setup  ## every part against its datasheet: one table, and docs/results/parts.html
	@$(BIN)/cosim parts --docs $(RESULTS)/parts.md
	@$(QUOTE)

op-amp: setup  ## the compiled op-amp against its subcircuit: time and waveforms (half a minute)
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.op_amp --docs $(RESULTS)/op-amp.md
	@$(QUOTE)

test: setup  ## all tests, on up to four cores
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

EXAMPLES ?= 2000
RUNS ?= 40
fuzz: setup  ## networks of every shape: EXAMPLES compiled, RUNS compiled and simulated (about an hour)
	@COSIM_FUZZ=$(EXAMPLES) COSIM_FUZZ_RUNS=$(RUNS) $(BIN)/python -m pytest tests/cosim/test_fuzz.py --timeout 36000

kills: setup  ## kill `cosim simulate` 200 times at random moments and look at what is left (about ten minutes)
	@$(BIN)/python -m benchmarks.kills

HP_MACRO := runs/hp_macro
second-opinion: setup  ## the HP twin (current drive, reduced arrays) on an independent simulator, VACASK
	@$(BIN)/cosim compile training/checkpoints/hp_memristor_current.npz --out $(HP_MACRO)/decks --fidelity macro --solver stepped
	@$(BIN)/cosim second-opinion $(HP_MACRO)/decks --out $(HP_MACRO) --docs $(RESULTS)/second-opinion.md
	@$(QUOTE)

convergence: setup  ## the solver's share of the HP twin's waveform error (current drive, reduced arrays)
	@$(BIN)/cosim compile training/checkpoints/hp_memristor_current.npz --out $(HP_MACRO)/decks --fidelity macro --solver stepped
	@$(BIN)/cosim convergence $(HP_MACRO)/decks/*.cir --out $(HP_MACRO)/convergence --docs $(RESULTS)/convergence.md
	@$(QUOTE)

merged: setup  ## macro decks with merged layers against decks that draw each array (two minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.merged --docs $(RESULTS)/merged.md
	@$(QUOTE)

speed: setup  ## speed and memory of every fidelity, one table (a quarter of an hour, nothing else may run)
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.speed --docs $(RESULTS)/speed.md
	@$(QUOTE)

docs: $(READY)  ## copy the tables that the documents quote from docs/results into them again
	@$(QUOTE)

lint: $(READY)  ## ruff: style, errors, import order
	@$(BIN)/ruff check .

netlists: $(READY)  ## write netlists/ again; changes nothing when nothing changed
	@$(BIN)/cosim netlists

clean:  ## remove results and caches; the virtual environment stays
	rm -rf runs build *.egg-info .pytest_cache .ruff_cache .hypothesis netlists/blocks
	find circuits cosim training tests -name __pycache__ -type d -prune -exec rm -rf {} +
