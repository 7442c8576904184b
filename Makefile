# The same words for people and CI. Everything lives in .venv; nothing is installed outside it.
PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install demo test check coverage docs bench clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt tests/data-wheels.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement tests/data-wheels.txt
	@touch $(STAMP)

demo: install
	$(BIN)/ktrdr models train examples/strategies/trend_momentum.yaml

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(BIN)/python -m pytest --numprocesses 3 --dist load --cov --cov-fail-under=95

coverage: install
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered tests/unit tests/contract tests/functional

docs: install
	PYTHONPATH=tests $(BIN)/python -m support.surface

bench: install
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
