# Cingulum: `make help` lists the targets. Only python3 (3.11 or newer, with venv) and make are needed.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
export PYTHONUNBUFFERED := 1
# If the environment forbids compiled files, each of our processes would compile 2,000 modules at every start.
export PYTHONDONTWRITEBYTECODE :=
# uv reads its own index settings; those of pip are not written into the locked files.
COMPILE := $(UV) pip compile -q --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --universal -p 3.11
SETS := $(basename $(notdir $(wildcard requirements/*.in)))

.DEFAULT_GOAL := help
.PHONY: help requirements check format

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "python3-venv is missing: on Debian or Ubuntu run 'sudo apt-get install python3-venv', then repeat"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(UV): | $(PY)
	@$(PY) -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV) # it was interrupted while it was created
	@$(PY) -m pip install -q --require-hashes -r requirements/uv.txt \
	|| { echo "The package uv cannot be installed: see pip's message above, and check the network"; exit 1; }

# Each stamp file is newer than the files its set was installed from; dev contains all of demo.
$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(UV)
	@test -e $(VENV)/.dev || $(UV) pip sync -q --require-hashes -p $(PY) requirements/demo.txt requirements/uv.txt
	@$(UV) pip install -q --no-deps --no-build-isolation -p $(PY) -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(UV)
	@$(UV) pip sync -q --require-hashes -p $(PY) requirements/dev.txt requirements/uv.txt
	@$(UV) pip install -q --no-deps --no-build-isolation -p $(PY) -e .
	@touch $@ $(VENV)/.demo

# The peers (other libraries) are installed on top of demo or dev; reinstalling those removes them and outdates this stamp.
$(VENV)/.bench: requirements/bench.txt $(VENV)/.demo
	@$(UV) pip install -q --require-hashes -p $(PY) -r requirements/bench.txt
	@touch $@

# What is tested is what ships: all other sets use the versions of dev, except other people's (.venv-peers, .venv-ibllib, .venv-datajoint, .venv-dandi).
requirements: $(UV) ## Renew the locked requirement files from the .in files
	@$(COMPILE) requirements/dev.in -o requirements/dev.txt
	@$(COMPILE) requirements/peers.in -o requirements/peers.txt
	@$(COMPILE) requirements/ibllib.in -o requirements/ibllib.txt
	@$(COMPILE) requirements/datajoint.in -o requirements/datajoint.txt
	@$(COMPILE) requirements/dandi.in -o requirements/dandi.txt
	@for set in $(filter-out dev peers ibllib datajoint dandi,$(SETS)); do $(COMPILE) -c requirements/dev.txt requirements/$$set.in -o requirements/$$set.txt || exit 1; done

format: $(VENV)/.dev ## Format the code
	@$(VENV)/bin/ruff format -q . && $(VENV)/bin/ruff check -q --fix .

check: $(VENV)/.dev ## Format, lint, types, import contracts and unit tests
	$(VENV)/bin/ruff format -q --check .
	$(VENV)/bin/ruff check -q .
	@$(MAKE) --no-print-directory -j 2 types units

# At the same time: mypy uses one processor, and the unit tests leave some idle while they start and end.
.PHONY: types units
types: $(VENV)/.dev
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

units: $(VENV)/.dev
	$(PY) -m pytest -q -n 2 --dist worksteal -m "not deep" tests/unit tests/architecture

.PHONY: test
test: check .venv-fuzz/.ready ## Everything: check, then the thorough tests and those against real servers (the longest first)
	$(PY) -m pytest -q -n 4 --dist worksteal --durations=25 -m "deep or not unit" $$(grep -rl --include='test_*.py' 'mark\.deep' tests/unit) $(filter-out tests/unit/ tests/architecture/ tests/support/ tests/peers/ tests/faults/ tests/fuzz/ tests/__pycache__/,$(wildcard tests/*/))
	.venv-fuzz/bin/python -m tests.fuzz --smoke

.PHONY: migration
migration: $(VENV)/.dev ## Write a service's next migration: SERVICE=registry M="what changes"
	@$(PY) -m deploy.local.migrate --make "$(SERVICE)" "$(M)" && $(VENV)/bin/ruff format -q services/$(SERVICE)/migrations && $(VENV)/bin/ruff check -q --fix services/$(SERVICE)/migrations

LOCAL := $(PY) -m deploy.local
.PHONY: up down status logs
up: $(VENV)/.demo ## Start the whole system here until Ctrl-C (DETACH=1: in the background; SPLIT=1: one process per service)
	@$(LOCAL) up $(if $(filter 1,$(DETACH)),--detach) $(if $(filter 1,$(SPLIT)),--split)

down: $(VENV)/.demo ## Stop the system that `make up DETACH=1` started
	@$(LOCAL) down

status: $(VENV)/.demo ## Show the processes of the running system
	@$(LOCAL) status

logs: $(VENV)/.demo ## Follow the logs until Ctrl-C (FOLLOW=0: only the last lines)
	@$(LOCAL) logs $(if $(filter 0,$(FOLLOW)),,--follow)

.PHONY: datajoint
datajoint: $(VENV)/.demo ## Roles for DataJoint in the running system: ARGS="grant PERSON" (or revoke PERSON, list, rebuild)
	@$(LOCAL) datajoint $(ARGS)

.PHONY: demo
demo: $(VENV)/.demo ## Run the whole system with one mouse's real sessions (ONCE=1: then stop; DEMO_SECONDS=10; SPLIT=1)
	@$(PY) -m examples.demo --seconds $(or $(DEMO_SECONDS),10) $(if $(filter 1,$(ONCE)),--once) $(if $(filter 1,$(SPLIT)),--split)

.PHONY: check-vectors
check-vectors: $(VENV)/.demo ## Compare the water and zygosity rules with FILE=... (POLICY=alyx)
	@$(VENV)/bin/cingulum welfare check-vectors "$(or $(FILE),$(error set FILE=...))" --policy $(or $(POLICY),alyx)

.PHONY: bench-core
bench-core: $(VENV)/.bench ## Measure the pure library beside other libraries (every bench/core_*.py)
	@status=0; for bench in bench/core_*.py; do echo "== $$bench"; $(PY) $$bench || status=1; done; exit $$status

.PHONY: bench-codec
bench-codec: $(VENV)/.bench ## Compare our codec with mtscomp and the others (ARGS="--seconds 3.7 --rounds 1" is quick)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=. $(PY) bench/codec $(ARGS)

.PHONY: bench-streams
bench-streams: $(VENV)/.bench ## Compress NIDQ, sync, LF and widefield streams beside mtscomp
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=. $(PY) bench/codec/streams.py $(ARGS)

.PHONY: bench-tables
bench-tables: $(VENV)/.dev ## Time the ONE client's tables of 250,000 datasets, and a changed row in them
	$(PY) -m bench.tables $(ARGS)

.PHONY: bench-facets
bench-facets: $(VENV)/.dev ## Processor time of facets and free text on 5,000 sessions, beside the plain list
	$(PY) -m bench.facets $(ARGS)

.PHONY: bench-nwb
bench-nwb: $(VENV)/.dev ## Time NWB files: processed data of 289 units, and voltage beside h5py (ARGS="--seconds 10" is quick)
	$(PY) -m bench.nwb $(ARGS)

.PHONY: bench-scan
bench-scan: $(VENV)/.dev ## Register an existing tree of 62,000 datasets (ARGS="--sessions 50" is quick)
	$(PY) -m bench.existing_tree $(ARGS)

.PHONY: bench-slices
bench-slices: $(VENV)/.dev ## Time slices of a generated 10 GB recording through the gateway
	@$(PY) -m pytest -q -s -p tests.conftest -p no:cacheprovider --timeout 1800 bench/slices/measure.py

.PHONY: bench-exports
bench-exports: $(VENV)/.dev ## Time a zip beside GET /data of the same files (needs curl)
	@$(PY) -m pytest -q -s -p tests.conftest -p no:cacheprovider --timeout 1800 bench/exports/measure.py

.PHONY: bench-api
bench-api: $(VENV)/.dev ## Processor time and latency of API requests on a loaded system beside Alyx's (JSON=file; ARGS="--only task_patch")
	@$(PY) -m bench.api $(if $(JSON),--json $(JSON)) $(ARGS)

.PHONY: schema
schema: $(VENV)/.demo ## Write the committed description of the public API
	@$(PY) -m deploy.local.schema

.PHONY: reference
reference: $(VENV)/.demo ## Write the generated reference pages: events, settings, permissions, problems
	@$(PY) -m deploy.local.reference

# The wheels are those of this machine, so it must have the operating system, processor and Python of the base image.
IMAGE ?= cingulum
TAG ?= 0.1.0
IMAGES := metadata registry scheduler transfer compressor gateway portal worker
.PHONY: wheels images
wheels: $(VENV)/.demo ## Download the wheels of the images, by hash, into build/wheels (SERVICE=name: of one image)
	@for name in $(or $(SERVICE),$(IMAGES)); do \
	  $(PY) -m pip download -q --only-binary=:all: --require-hashes -r requirements/$$name.txt -d build/wheels/$$name \
	  && { [ $$name != worker ] || [ -z "$(DANDI)" ] || $(PY) -m pip download -q --only-binary=:all: --require-hashes -r requirements/dandi.txt -d build/wheels/worker; } \
	  && $(PY) -m hatchling build -t wheel -d build/wheels/$$name || exit 1; done

images: wheels ## Build the container images (IMAGE=registry/name TAG=version SERVICE=name BASE=image; DANDI=1: with dandi for workers)
	@for name in $(or $(SERVICE),$(IMAGES)); do \
	  docker build -q -f deploy/Dockerfile --build-arg SERVICE=$$name $(if $(BASE),--build-arg BASE=$(BASE)) $(if $(DANDI),--build-arg DANDI=1) -t $(IMAGE)-$$name:$(TAG) . || exit 1; done

# The newest client in an environment of its own, so that the locked set does not change.
NEWEST := build/newest
ONE_CLIENT := tests/acceptance/test_one_client.py tests/architecture/test_schema.py tests/integration/client
.PHONY: test-newest
test-newest: $(VENV)/.dev ## Run the ONE client's tests with the newest one-api
	@$(UV) venv -q --allow-existing -p $(PY) $(NEWEST)
	@$(UV) pip sync -q --require-hashes -p $(NEWEST)/bin/python requirements/dev.txt requirements/uv.txt
	@$(UV) pip install -q -p $(NEWEST)/bin/python --upgrade-package one-api one-api
	@$(UV) pip install -q --no-deps --no-build-isolation -p $(NEWEST)/bin/python -e .
	@$(NEWEST)/bin/python -c 'from importlib.metadata import version; print("one-api", version("one-api"))'
	$(NEWEST)/bin/python -m pytest -q $(ONE_CLIENT)

.PHONY: pages
pages: $(VENV)/.dev ## Renew the screenshots of the pages in docs/screenshots (CINGULUM_CHROMIUM names a browser)
	@$(PY) -m tests.pages.pictures

.PHONY: test-pages
test-pages: $(VENV)/.dev ## Test the pages in a headless Chromium (CINGULUM_CHROMIUM names another one)
	$(PY) -m pytest -q -m pages tests/pages

.PHONY: test-peers
.venv-peers/.ready: requirements/peers.txt pyproject.toml | $(UV)
	@$(PYTHON) -m venv .venv-peers
	@$(UV) pip sync -q --require-hashes -p .venv-peers/bin/python requirements/peers.txt
	@$(UV) pip install -q --no-deps --no-build-isolation -p .venv-peers/bin/python -e .
	@touch $@

# ibllib and DataJoint need other versions than SpikeInterface; their tests talk to a system that runs in our own environment.
.venv-ibllib/.ready: requirements/ibllib.txt | $(UV)
	@$(PYTHON) -m venv .venv-ibllib
	@$(UV) pip sync -q --require-hashes -p .venv-ibllib/bin/python requirements/ibllib.txt
	@touch $@

.venv-datajoint/.ready: requirements/datajoint.txt | $(UV)
	@$(PYTHON) -m venv .venv-datajoint
	@$(UV) pip sync -q --require-hashes -p .venv-datajoint/bin/python requirements/datajoint.txt
	@touch $@

# DANDI's validation and LINDI want zarr 2. The files they read are written in our own environment.
.venv-dandi/.ready: requirements/dandi.txt pyproject.toml | $(UV)
	@$(PYTHON) -m venv .venv-dandi
	@$(UV) pip sync -q --require-hashes -p .venv-dandi/bin/python requirements/dandi.txt
	@$(UV) pip install -q --no-deps --no-build-isolation -p .venv-dandi/bin/python -e .
	@touch $@

THEIRS := -m pytest -q -c /dev/null --rootdir=. -p no:cacheprovider --import-mode=importlib --confcutdir=tests/peers
test-peers: .venv-peers/.ready .venv-ibllib/.ready .venv-datajoint/.ready .venv-dandi/.ready $(VENV)/.dev ## Test with SpikeInterface, ibl-neuropixel, mtscomp, minisign, ONE, ibllib, DataJoint, dandi and lindi, unmodified
	CINGULUM_PYTHON=$(PY) .venv-peers/bin/python $(THEIRS) tests/peers
	CINGULUM_PYTHON=$(PY) .venv-ibllib/bin/python $(THEIRS) tests/peers
	CINGULUM_PYTHON=$(PY) .venv-datajoint/bin/python $(THEIRS) tests/peers
	CINGULUM_PYTHON=$(PY) .venv-dandi/bin/python $(THEIRS) -p no:dandi tests/peers
	$(PY) -m pytest -q tests/integration/client

.PHONY: test-fuzz
.venv-fuzz/.ready: requirements/fuzz.txt pyproject.toml | $(UV)
	@$(PYTHON) -m venv .venv-fuzz
	@$(UV) pip sync -q --require-hashes -p .venv-fuzz/bin/python requirements/fuzz.txt
	@$(UV) pip install -q --no-deps --no-build-isolation -p .venv-fuzz/bin/python -e .
	@touch $@

test-fuzz: .venv-fuzz/.ready ## Check generated requests and their responses against our OpenAPI for MINUTES=10 (ARGS="--seed 7")
	.venv-fuzz/bin/python -m tests.fuzz --minutes $(or $(MINUTES),10) $(ARGS)

.PHONY: test-faults
test-faults: $(VENV)/.dev ## Kill services, PostgreSQL, NATS and workers N=60 times under load, then check that nothing is lost or doubled
	$(PY) -m tests.faults --kills $(or $(N),60) $(ARGS)
