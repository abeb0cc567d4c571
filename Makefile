# One way to do each task; `make help` lists them all.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PY := .venv/bin/python
# Imports of the project resolve from here, for every command alike.
export PYTHONPATH := $(CURDIR)
# What is imported again and again, by each process of a test, is compiled once.
unexport PYTHONDONTWRITEBYTECODE

# HOST=microsoft: in Microsoft's own Functions host, where ../shared/tools has it (docs/dev/host.md).
IN_HOST = $(if $(HOST),--host $(HOST))
# DELIVERY=queue: events come by queue, not by webhook.
BY_WAY = $(if $(DELIVERY),--delivery $(DELIVERY))
HOSTED = $(if $(HOST),.venv/host.stamp)
AT_HAND = $(if $(wildcard ../shared/tools/functions-host.tar.xz),.venv/host.stamp)

.PHONY: help
help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup $(HOSTED) ## The main job, end to end, on a local Azure (no subscription needed)
	@$(PY) -m demo $(IN_HOST) $(BY_WAY)

.PHONY: local
local: setup $(HOSTED) ## Keep the local Azure, the storage and the app running; print the addresses
	@$(PY) -m demo.local $(IN_HOST) $(BY_WAY)

.PHONY: test
test: setup .venv/chromium.stamp .venv/kusto.stamp $(AT_HAND) lint ## Everything that CI runs: format, lint, types, layers, all tests
	@$(PY) scripts/timed.py $(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder -m "not host_check" --durations=10 --durations-min=1

.PHONY: host-check
host-check: setup .venv/host.stamp ## All tests in Microsoft's own Functions host, end-to-end tests too (30 min)
	@$(PY) -m pytest -q tests/host
	@$(PY) -m pytest -q -m host_check tests/e2e

.PHONY: bench
bench: setup .venv/chromium.stamp ## Measure speed and cost beside a baseline; ARGS="--only NAME", ARGS=--help
	@$(PY) -m bench $(ARGS)

MINUTES ?= 60
.PHONY: soak
soak: setup $(HOSTED) ## Does anything grow? Machines come and go for MINUTES=60; HOST=microsoft, too
	@$(PY) -m bench.soak --minutes $(MINUTES) $(IN_HOST)

SEED ?= 1
SCALE ?= 200
.PHONY: chaos
chaos: setup $(HOSTED) ## Chaos: SCALE=2000 resources live and die by SEED=1 while everything fails
	@$(PY) -m chaos --seed $(SEED) --scale $(SCALE) $(IN_HOST) $(BY_WAY)

.PHONY: fuzz
fuzz: python .venv/fuzz.stamp ## Look for what breaks a property; TARGET=events SECONDS=30, TARGET=histories
	@$(PY) -m fuzz $(or $(TARGET),events) $(or $(SECONDS),30)

.PHONY: az-check
az-check: python .venv-az/az.stamp ## The unmodified Azure CLI at work on the local Azure; not part of test
	@$(PY) -m az_check

LOCATION ?= westeurope
.PHONY: prove
prove: python ## On a real subscription: SUBSCRIPTION=id LOCATION=region; a report, and nothing stays
	@$(PY) -m prove $(SUBSCRIPTION) --location $(LOCATION) $(ARGS)

.PHONY: lint
lint: python ## Format check, lint, types, layers
	@$(PY) -m ruff format --check --quiet . && echo "format: ok"
	@$(PY) -m ruff check --quiet . && echo "lint: ok"
	@$(PY) -m mypy --no-error-summary && echo "types: ok"
	@.venv/bin/lint-imports >.venv/layers.log 2>&1 || { cat .venv/layers.log; exit 1; }; echo "layers: ok"

.PHONY: format
format: python ## Format the code and fix what ruff can fix
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix .

.PHONY: lock
lock: python ## Resolve pyproject.toml again: uv.lock and the requirements files
	@scripts/lock.sh

.PHONY: infra-check
infra-check: python ## Compile, lint and work out infra/ (where Bicep is), and check templates, rights, alerts
	@$(PY) -m pytest -q -rs tests/infra && echo "infra-check: ok, $$(find infra -name '*.bicep' | wc -l) Bicep files, $$($(PY) -m tests.support.infra.compiler)"

.PHONY: pictures
pictures: setup .venv/chromium.stamp ## Make the pictures of docs/images anew
	@LANYARD_PICTURES=docs/images $(PY) -m pytest -q -n0 tests/e2e/test_scan_page.py tests/e2e/test_report_page.py

.PHONY: package
package: python ## The app as a deployment takes it: dist/app.zip
	@$(PY) scripts/package.py dist/app.zip

.PHONY: sbom
sbom: python ## The software bill of materials of what is deployed: dist/sbom.cdx.json
	@scripts/sbom.sh dist/sbom.cdx.json

.PHONY: audit
audit: python ## Known weaknesses of the locked packages, asked of osv.dev (needs the internet)
	@.venv/bin/uv audit --quiet --frozen --preview-features audit-command && echo "audit: ok"

.PHONY: clean
clean: ## Remove what set-up and runs made
	rm -rf .venv .venv-az .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist simulator/azurite/node_modules tests/chromium/node_modules tests/kusto/node_modules

# Set-up: stamps, so that a second run starts at once.
.PHONY: setup python
setup: python .venv/azurite.stamp ## Only the set-up: .venv and Azurite (every other command does it, too)
python: .venv/python.stamp

.venv/python.stamp: requirements-dev.txt pyproject.toml scripts/setup.sh
	@scripts/setup.sh python && touch $@

.venv/azurite.stamp: .venv/python.stamp simulator/azurite/package-lock.json requirements-node.txt
	@scripts/setup.sh azurite && touch $@

.venv/chromium.stamp: .venv/azurite.stamp tests/chromium/package-lock.json
	@scripts/setup.sh chromium && touch $@

.venv/kusto.stamp: .venv/azurite.stamp tests/kusto/package-lock.json
	@scripts/setup.sh kusto && touch $@

.venv/host.stamp: .venv/python.stamp requirements-host.txt
	@scripts/setup.sh host && touch $@

.venv/fuzz.stamp: .venv/python.stamp requirements-fuzz.txt
	@scripts/setup.sh fuzz && touch $@

.venv-az/az.stamp: az_check/requirements.txt scripts/setup.sh
	@scripts/setup.sh az && touch $@
