# `make` alone says what there is.
# Needs Python 3.10-3.13 and make; all else comes from requirements-dev.lock into .venv.

PYTHON ?= python3
VENV := .venv
RUN := PYTHONPATH=plugins:tests $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo up down test faults lint lock clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name says; do \
		printf '  make %-6s %s\n' "$$name" "$$says"; done

demo: $(VENV)/made ## rotate real PostgreSQL roles through a real Airflow, watch one fail and recover, clean up
	@$(RUN) -m sandbox.demo

up: $(VENV)/made ## the same, and leave Airflow's page open, its address and login printed
	@$(RUN) -m sandbox.demo up

down: $(VENV)/made ## end what `make up` left open
	@$(RUN) -m sandbox.demo down

test: $(VENV)/made ## the whole suite, against real parts
	@$(VENV)/bin/python -m pytest

faults: $(VENV)/made ## let every call of every pass go wrong in every way, on the real parts (half an hour)
	@$(RUN) -m scenes.campaign

lint: $(VENV)/made ## style, types, and who may import whom
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	PYTHONPATH=plugins:tests $(VENV)/bin/lint-imports

$(VENV)/made: requirements-dev.lock tests/sandbox/make_venv.py
	@$(PYTHON) tests/sandbox/make_venv.py $(VENV) requirements-dev.lock
	@touch $@

# Keeps the versions that the locks have; `make lock UPGRADE=--upgrade` takes the newest that the ranges allow.
UV := .sandbox/uv/bin/uv
COMPILE := $(UV) pip compile --quiet --no-config $(UPGRADE) --universal --python-version 3.10 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

lock: $(UV) ## requirements*.txt into requirements*.lock
	$(COMPILE) -o requirements.lock requirements.txt
	$(COMPILE) -o requirements-dev.lock -c requirements.lock requirements-dev.txt

$(UV):
	@$(PYTHON) -m venv .sandbox/uv
	@$(dir $@)python -m pip install --quiet uv

clean: ## end what runs, and remove what was made here
	@test ! -e .sandbox/up.json || $(RUN) -m sandbox.demo down
	rm -rf $(VENV) .sandbox .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find plugins tests dags -name __pycache__ -prune -exec rm -rf {} +
