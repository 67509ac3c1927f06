# Everything a newcomer needs: `make demo`, `make test`. Python 3.11 or newer is enough; the rest goes into .venv.
.DEFAULT_GOAL := help
.PHONY: help demo up soak bench test system chaos check check-types check-style check-structure format docs lock sbom audit clean

# Hundreds of processes start in tests: none of them should have to compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
UV ?= uv
LOCK := $(UV) pip compile pyproject.toml --quiet --generate-hashes --no-emit-index-url --python-version 3.11

help: ## list what can be made
	@echo "next: make demo    (to have the command: pipx install . or uv tool install .)"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  %-12s %s\n", $$1, $$2}'

demo: ## the main job on simulated providers: submit, outage, detour, recovery, report (no keys, no network)
	@PYTHON="$(PYTHON)" requirements/install run
	@$(BIN)/holdfast demo

up: ## API, worker and embedded storage on simulated providers
	@PYTHON="$(PYTHON)" requirements/install run
	@$(BIN)/holdfast up --sim

soak: ## break something every 5 s for 30 minutes, then the ledger (ARGS="--minutes 1 --seed 7")
	@PYTHON="$(PYTHON)" requirements/install dev
	@$(BIN)/python bench/soak.py $(ARGS)

bench: ## compare with loops, queues and client libraries, on a quiet machine; half an hour (ARGS="loops memory")
	@PYTHON="$(PYTHON)" requirements/install dev
	@$(BIN)/python bench/benchmarks.py $(ARGS)

test: ## all tests but whole runs, one process for each core (ARGS="tests/policy -x" narrows them)
	@PYTHON="$(PYTHON)" requirements/install dev
	@$(BIN)/python -m pytest -m "not system and not chaos" -n auto --dist worksteal $(ARGS)

system: ## whole runs: workers, API, command line as processes, outages in virtual time (they wait more than they work)
	@PYTHON="$(PYTHON)" requirements/install dev
	@$(BIN)/python -m pytest -m "system and not chaos" -n 4 --dist worksteal tests/cli tests/field tests/lab tests/system $(ARGS)

chaos: ## every crash point, Redis fault and cut link, with real processes (minutes, on a quiet machine)
	@PYTHON="$(PYTHON)" requirements/install dev
	@$(BIN)/python -m pytest -m chaos $(ARGS)

check: ## lint, format, types, import contracts, dead code, generated pages
	@PYTHON="$(PYTHON)" requirements/install dev
	@$(MAKE) --no-print-directory --keep-going --jobs 2 --output-sync check-types check-style check-structure

check-types:
	@$(BIN)/mypy

check-style:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

check-structure:
	@$(BIN)/lint-imports
	@$(BIN)/vulture
	@$(BIN)/python docs/generate.py --check

format: ## let ruff mend what it can
	@PYTHON="$(PYTHON)" requirements/install dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: ## write the generated pages of docs/ anew
	@PYTHON="$(PYTHON)" requirements/install dev
	@$(BIN)/python docs/generate.py

lock: ## pin the dependencies of pyproject.toml anew (needs uv)
	$(LOCK) --extra dev --extra build --output-file requirements/dev.txt
	$(LOCK) --extra build --constraints requirements/dev.txt --output-file requirements/run.txt
	$(LOCK) --extra build --extra clouds --constraints requirements/dev.txt --output-file requirements/clouds.txt

sbom: ## write the bill of materials anew, after the lock was (requirements/sbom.json, CycloneDX)
	@PYTHON="$(PYTHON)" requirements/install dev
	@requirements/sbom

audit: ## ask a public database about advisories against the pinned packages (status 75: not reached)
	@PYTHON="$(PYTHON)" requirements/install dev
	@requirements/audit

clean: ## remove .venv and caches; .holdfast, where jobs are kept, stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
