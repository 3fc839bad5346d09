# `make` alone prints what there is.

# What stands before every command that must not see, or touch, a person's own
# Roost: no ROOST_* variable, and a data folder that goes away afterwards.
ALONE = scripts/alone.sh
PY = .venv/bin/python
PYTEST = $(PY) -m pytest
# What takes longest is named at the end.
LONGEST = --durations=15 --durations-min=5
ON_POSTGRES = $(ALONE) $(PY) -m tests.support.pgcluster run --
# Pages are looked at by one process for each processor, and units by two, for some of them wait;
# never by more than four: each has its own database.
PARALLEL = --maxprocesses 4 --dist loadgroup
UNITS = --ignore=tests/journeys -n $$((2 * $$(nproc))) $(PARALLEL)
LOOKS = -n auto $(PARALLEL)
WALKS = tests/journeys -n auto --maxprocesses 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run test check bench bench-video lock clean lint unit venv-run venv-test \
  system-packages

help:
	@echo 'make run      serve the demo on http://127.0.0.1:8000 (ROOST_PORT, ROOST_DATA_DIR)'
	@echo 'make check    the quick checks: format, lint, types, imports, migrations, unit tests'
	@echo 'make test     everything: the checks, browser journeys, SQLite and PostgreSQL'
	@echo 'make bench    measure what the README states'
	@echo 'make bench-video  measure what a call takes (ROUNDS=2 tries it; 12 take six minutes)'
	@echo 'make lock     make requirements/*.lock again from the .in files (UPGRADE=1: newest versions)'
	@echo 'make clean    remove the virtual environment and the caches; data stays'

run:
	@scripts/venv.sh run && ROOST_DEMO="$${ROOST_DEMO:-1}" exec .venv/bin/roost serve

check: lint unit

# Tests marked one_database, and what pages look like, do not depend on the database: they are run
# on SQLite alone. Calls are walked file by file, those marked whole_machine with nothing beside
# them.
CALLS = not looks
ON_BOTH = not looks and not one_database

AGAIN = --last-failed --last-failed-no-failures none

# A walk in a browser that fails is made once more, with nothing beside it.
define walk
$(1) $(PYTEST) $(LONGEST) $(3) -m "$(2)" || $(1) $(PYTEST) $(AGAIN) -m "$(2)"
endef

test: system-packages lint
	$(ALONE) $(PYTEST) $(LONGEST) $(UNITS) -m "not journey and not postgres"
	$(ON_POSTGRES) $(PYTEST) $(LONGEST) $(UNITS) -m "not journey and (postgres or not one_database)"
	$(call walk,$(ALONE),looks,$(LOOKS))
	$(call walk,$(ALONE),$(CALLS),$(WALKS))
	$(call walk,$(ON_POSTGRES),$(ON_BOTH),$(WALKS))

lint: venv-test
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	$(ALONE) .venv/bin/mypy
	$(ALONE) .venv/bin/lint-imports
	$(ALONE) $(PY) manage.py makemigrations --check --dry-run
	$(ALONE) $(PY) manage.py check

unit: venv-test
	$(ALONE) $(PYTEST) $(UNITS) -m "not journey and not fault and not slow and not postgres"

bench: venv-test
	$(ALONE) $(PY) -m bench

bench-video: venv-test
	$(ALONE) $(PY) -m bench.video $(ROUNDS)

lock: venv-test
	scripts/lock.sh $(if $(UPGRADE),--upgrade)

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv-run:
	@scripts/venv.sh run

venv-test:
	@scripts/venv.sh test

system-packages:
	@scripts/system-packages.sh
