# The two commands: `make repro` runs the study, `make test` the tests. Both install what they need into .venv first.
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: repro test bench lint install clean

repro: install
	dvc repro

test: install
	pytest --numprocesses 2 --dist loadfile

# How fast, beside the straightforward way: on a machine that does nothing else, some ten minutes.
bench: install
	python -m benchmarks

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
