# make run: the main job on data/.  make test: every check of the code.  make dev: the Dagster UI.
# Needs Python 3.11 or newer and make; everything else is installed below.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The BigQuery emulator of the tests needs versions of its own.
BQEMULATOR := .venv-bqemulator
# The peers that benchmarks measure against.
BENCH := .venv-benchmarks
# Where `make dev` keeps what it has run.
DAGSTER_HOME ?= $(CURDIR)/.dagster
export DAGSTER_DISABLE_TELEMETRY ?= yes

.PHONY: run test dev install lint types unit definitions bqemulator bench accuracy clean

run: $(VENV)/.run
	$(BIN)/drug-assets run

test: lint types unit

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

unit: $(VENV)/.dev $(BQEMULATOR)/.made
	$(BIN)/pytest -n auto --dist loadfile

install: $(VENV)/.dev

bqemulator: $(BQEMULATOR)/.made

$(BQEMULATOR)/.made: constraints-bqemulator.txt
	$(PYTHON) -m venv $(BQEMULATOR)
	$(BQEMULATOR)/bin/pip install --quiet --quiet --requirement constraints-bqemulator.txt
	touch $@

definitions dev: export DAGSTER_HOME := $(DAGSTER_HOME)

definitions: $(VENV)/.dev $(DAGSTER_HOME)/dagster.yaml
	$(BIN)/dagster definitions validate -w workspace.yaml
	$(BIN)/dg check defs
	$(BIN)/dg list defs

dev: $(VENV)/.run $(DAGSTER_HOME)/dagster.yaml
	$(BIN)/dagster dev -w workspace.yaml

$(DAGSTER_HOME)/dagster.yaml: deploy/dagster-local.yaml
	mkdir -p $(DAGSTER_HOME)
	cp $< $@

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --quiet --constraint constraints.txt --editable '.[dev,gcp,production]'
	touch $@ $(VENV)/.run

# PLAN: full, or short for what takes half an hour. Writes benchmarks/RESULTS.md.
PLAN ?= full
bench: $(BENCH)/.ready
	$(BENCH)/bin/python -m benchmarks.run --plan $(PLAN)

# FILE: titles with gold spans, JSON lines. VOCABULARY: a drug list.
accuracy: $(BENCH)/.ready
	@test -n "$(FILE)" -a -n "$(VOCABULARY)" || { echo 'usage: make accuracy FILE=titles.jsonl VOCABULARY=list.csv'; exit 2; }
	$(BENCH)/bin/python -m benchmarks.accuracy "$(FILE)" "$(VOCABULARY)"

$(BENCH)/.ready: pyproject.toml constraints.txt benchmarks/constraints-benchmarks.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/pip install --quiet --quiet --constraint constraints.txt --editable .
	$(BENCH)/bin/pip install --quiet --quiet --constraint constraints.txt --requirement benchmarks/constraints-benchmarks.txt
	touch $@

clean:
	rm -rf $(VENV) $(BQEMULATOR) $(BENCH) .dagster build output
