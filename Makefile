# Everything a person or a machine does with this project, one word each. `make help` lists them.

PYTHON ?= python3
PORT   ?= 8000

VENV := .venv
BIN  := $(VENV)/bin
PEERS := benchmarks/.peers
ROOMS := server cards fhir_profiles sandbox

# Two more than there are processors: many tests wait for a process, a browser or a database.
WORKERS = $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)

# The version of the tool that writes requirements.lock, so that two people get the same file.
PIP_TOOLS := pip-tools==7.5.2

.DEFAULT_GOAL := help
.PHONY: help install run test lint chromium postgresql nginx systemd promtool bench peers lock-peers soak lock wheel sbom licences audit-dependencies clean

help: ## list what make can do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

install: $(VENV)/.project-installed ## make .venv with exactly the locked versions (nothing to do when it is up to date)

# A changed lock makes a new environment, so that nothing of the old one lingers.
$(VENV)/.lock-installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; choose one with: make PYTHON=python3.11 install")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement requirements.lock
	@touch $@

$(VENV)/.project-installed: $(VENV)/.lock-installed pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: install ## start the service and the sandbox on this machine (PORT=8000)
	$(BIN)/myositis-cds demo --port $(PORT)

# Bytecode is kept whatever the environment says: each worker, and each service that a test starts, imports everything.
test: export PYTHONDONTWRITEBYTECODE :=
test: install lint chromium postgresql nginx systemd promtool ## run every check and every test
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal

lint: install ## check formatting, style, types and who imports whom
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

chromium: ## install the browser for the browser tests, if there is none
	@scripts/ensure-chromium.sh

postgresql: ## install the database server for the database tests, if there is none
	@scripts/ensure-postgresql.sh

nginx: ## install the proxy for the tests behind a proxy, if there is none
	@scripts/ensure-nginx.sh

systemd: ## install what reads systemd's units for the tests of ours, if there is none
	@scripts/ensure-systemd.sh

promtool: ## install what tests alerts, if it is missing
	@scripts/ensure-promtool.sh

# Without a network the others are measured all the same.
bench: install ## measure what docs/performance.md promises, and write it (GROUPS="in_process …" chooses)
	-@$(MAKE) --no-print-directory peers
	$(BIN)/python -m benchmarks $(GROUPS)

peers: $(PEERS)/.installed ## make the environment of the software that we are measured beside

$(PEERS)/.installed: benchmarks/peers.lock
	$(PYTHON) -m venv --clear $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement benchmarks/peers.lock
	@touch $@

lock-peers: ## choose the newest versions of that software anew and write its lock
	$(PYTHON) -m venv --clear .lock-venv
	.lock-venv/bin/pip install --quiet --disable-pip-version-check '$(PIP_TOOLS)'
	.lock-venv/bin/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
		--no-header --no-emit-options \
		--output-file benchmarks/peers.lock benchmarks/peers.in
	rm -rf .lock-venv

soak: install postgresql ## try the service for an hour under load, faults and attack (TRIALS="steady …" chooses)
	$(BIN)/python -m soak $(TRIALS)

# Settings that name a package registry stay out of the file: it must install from whichever one a hospital uses.
lock: ## choose the newest allowed versions anew and write the locks
	$(PYTHON) -m venv --clear .lock-venv
	.lock-venv/bin/pip install --quiet --disable-pip-version-check '$(PIP_TOOLS)'
	.lock-venv/bin/pip-compile --quiet --upgrade --extra dev --generate-hashes --allow-unsafe --strip-extras \
		--no-header --no-emit-options \
		--output-file requirements.lock pyproject.toml
	rm -rf .lock-venv
	$(MAKE) install
	$(BIN)/python -m scripts.supply_chain.locks

# What an earlier build left there would be part of this one.
wheel: install ## build what is installed where the service runs, to build/
	rm -rf build/lib build/bdist.* build/myositis_cds-*.whl
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build .

sbom: install ## write the bill of materials of a release (CycloneDX) to build/
	$(BIN)/python -m scripts.supply_chain.sbom

licences: install ## check the licences of what is delivered, and write docs/licences.md
	$(BIN)/python -m scripts.supply_chain.licences_docs

audit-dependencies: install ## look for known holes in the locked packages (asks a public database)
	$(BIN)/python -m scripts.supply_chain.audit

clean: ## remove everything that make made
	rm -rf $(VENV) .lock-venv $(PEERS) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find $(ROOMS) tests -name __pycache__ -type d -prune -exec rm -rf {} +
