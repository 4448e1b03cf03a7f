# The two commands: `make repro` runs the study, `make test` the tests. Both install what they need into .venv first.
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: repro test test-faults bench docs lint install clean

repro: install
	dvc repro

test: install
	pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

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

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis *.egg-info dvc_plots
