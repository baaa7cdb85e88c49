# `make` alone says what there is.
# Needs Python 3.10-3.13 and make; all else comes from requirements-dev.lock into .venv.

PYTHON ?= python3
JOBS ?= 4
VENV := .venv
UV := .sandbox/uv/bin/uv
RUN := PYTHONPATH=plugins:tests $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo up down test features faults pods older celery logs bench lint lock vendor pictures clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name says; do \
		printf '  make %-8s %s\n' "$$name" "$$says"; done

demo: $(VENV)/made ## rotate real PostgreSQL roles through a real Airflow, watch one fail and recover, clean up
	@$(RUN) -m sandbox.demo

up: $(VENV)/made ## the same, and leave Airflow's page open, its address and login printed
	@$(RUN) -m sandbox.demo up

down: $(VENV)/made ## end what `make up` left open
	@$(RUN) -m sandbox.demo down

AIRFLOWS ?= 3
SIDE_BY_SIDE := $(VENV)/bin/python -m pytest --dist loadfile --no-loadscope-reorder --numprocesses

test: $(VENV)/made ## the suite, against real parts: files side by side, then what measures speed, alone (12 minutes)
	@$(SIDE_BY_SIDE) $(JOBS) -m "not alone and not feature and not amazon"; side=$$?; \
	$(VENV)/bin/python -m pytest -m alone $$(grep -rl 'mark.alone' --include='test_*.py' tests) && exit $$side

features: $(VENV)/made ## each feature in an Airflow of its own: ways in, approval, secrets backend, trouble, the page in a browser (10 minutes)
	@$(SIDE_BY_SIDE) $(AIRFLOWS) -m feature

faults: $(VENV)/made ## let every call of every pass go wrong in every way, on the real parts (20 to 40 minutes)
	@$(RUN) -m scenes.campaign

pods: $(VENV)/made ## let forty fresh pods behind one address log in at once, with the cloud's limits on (4 minutes)
	@$(RUN) -m scenes.vault.forty_pods

older: $(VENV)-3.1/made $(VENV)-3.2/made ## the secrets backend and a rotation on Airflow 3.1 and 3.2 (5 minutes)
	@for version in 3.1 3.2; do echo "Airflow $$version"; PYTHONPATH=plugins:tests \
		$(VENV)-$$version/bin/python -m pytest tests/airflow/test_secrets_backend.py \
		tests/credential_rotation/approval/test_without_the_feature.py || exit 1; done

celery: $(VENV)-celery/made ## secrets backend, a rotation and task logs on Celery, with a real Redis (6 minutes; needs redis-server)
	@AIRFLOW_SANDBOX_EXECUTOR=celery PYTHONPATH=plugins:tests $(VENV)-celery/bin/python -m pytest \
		tests/airflow/test_secrets_backend.py tests/airflow/test_remote_logs.py

logs: $(VENV)-bench/made ## rotate the key with which Airflow stores its task logs, and lose none of them (4 minutes)
	@PYTHONPATH=plugins:tests $(VENV)-bench/bin/python -m pytest tests/airflow/test_remote_logs.py

bench: $(VENV)-bench/made ## lookups beside Amazon's backend, rotations beside the bare calls, inventories, mapped tasks (10 minutes)
	@PYTHONPATH=plugins:tests $(VENV)-bench/bin/python -m bench

lint: $(VENV)/made ## style, types, and who may import whom
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	PYTHONPATH=plugins:tests $(VENV)/bin/lint-imports

$(VENV)/made: requirements-dev.lock tests/sandbox/make_venv.py
	@$(PYTHON) tests/sandbox/make_venv.py $(VENV) requirements-dev.lock
	@touch $@

$(VENV)-bench/made: requirements-bench.lock tests/sandbox/make_venv.py
	@$(PYTHON) tests/sandbox/make_venv.py $(VENV)-bench requirements-bench.lock
	@touch $@

# The locked versions, and Celery beside them.
$(VENV)-celery/made: requirements-bench.lock requirements-bench.txt tests/airflow/celery.txt $(UV)
	@sed 's/ *--hash=[^ ]*//; s/ \\$$//' requirements-bench.lock > .sandbox/versions.txt
	@$(UV) venv --quiet --clear --no-config --python $(PYTHON) $(@D)
	@$(UV) pip install --quiet --no-config --python $(@D)/bin/python --constraint .sandbox/versions.txt \
		-r requirements-bench.txt -r tests/airflow/celery.txt
	@touch $@

# Not locked: the newest that go with an older Airflow, but for what does not in truth.
OLDER := tests/airflow/older
$(VENV)-%/made: $(OLDER)/%.txt $(OLDER)/constraints.txt requirements.txt requirements-dev.txt $(UV)
	@$(UV) venv --quiet --clear --no-config --python $(PYTHON) $(@D)
	@$(UV) pip install --quiet --no-config --python $(@D)/bin/python --override $< \
		--constraint $(OLDER)/constraints.txt -r requirements-dev.txt
	@touch $@

# Keeps the versions that the locks have; `make lock UPGRADE=--upgrade` takes the newest that the ranges allow.
COMPILE := $(UV) pip compile --quiet --no-config $(UPGRADE) --universal --python-version 3.10 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

lock: $(UV) ## requirements*.txt into requirements*.lock
	$(COMPILE) -o requirements.lock requirements.txt
	$(COMPILE) -o requirements-dev.lock -c requirements.lock requirements-dev.txt
	$(COMPILE) -o requirements-bench.lock -c requirements-dev.lock requirements-bench.txt

$(UV):
	@$(PYTHON) -m venv .sandbox/uv
	@$(dir $@)python -m pip install --quiet uv

vendor: ## the page's libraries, from npm anew
	@sh tests/sandbox/vendor.sh

pictures: $(VENV)/made ## docs/images anew, from the page in a browser (2 minutes)
	@TAKE_PICTURES=1 $(RUN) -m pytest -q tests/browser

clean: ## end what runs, and remove what was made here
	@test ! -e .sandbox/up.json || $(RUN) -m sandbox.demo down
	rm -rf $(VENV) $(VENV)-* .sandbox .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find plugins tests dags -name __pycache__ -prune -exec rm -rf {} +
