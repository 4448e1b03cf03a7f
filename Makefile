# The two commands: `make repro` runs the study, `make test` the tests. Both install what they need into .venv first.
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: repro test test-all test-faults bench docs lint install machine clean

repro: install
	dvc repro

test: install
	pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# The slow ones, too: every signal, every objective on two processes, two forced runs.
test-all: install
	pytest -m 'slow or not slow' --numprocesses 2 --dist loadfile --no-loadscope-reorder

# Breaks every stage in turn: some twenty minutes. The quick part of it is in `make test`.
test-faults: install
	pytest tests/faults -m 'slow or not slow' --numprocesses 2 --dist worksteal

# How fast, beside the straightforward way: on a machine that does nothing else, some ten minutes.
bench: install
	python -m benchmarks

# Writes the parts of the pages that follow from the code.
docs: install
	python -m docs.generate

lint: install
	ruff check .
	ruff format --check .

install: .venv/installed

# What is missing is said before gigabytes are installed.
machine:
	@command -v git >/dev/null || { echo 'error: git is not installed, and DVC needs it: install it, then `git clone` the repository'; exit 1; }
	@git rev-parse --git-dir >/dev/null || { test -e .git || printf '%s\n' \
	  'error: this folder is not a git repository, which DVC needs; GitHub'"'"'s ZIP is none. Either clone the repository,' \
	  'git clone ADDRESS, or go on with these files: git init && git add . && git commit -m "As downloaded"'; exit 1; }
	@git rev-parse --verify --quiet HEAD >/dev/null || { echo 'error: this repository has no commit, and DVC needs one: git add . && git commit -m "As downloaded"'; exit 1; }
	@test -e .venv/installed || $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo 'error: $(PYTHON) is not Python 3.11 to 3.13: name another, `make PYTHON=python3.12 $(MAKECMDGOALS)`'; exit 1; }

.venv/installed: pyproject.toml constraints.txt | machine
	$(PYTHON) -m venv .venv
	pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis *.egg-info dvc_plots
