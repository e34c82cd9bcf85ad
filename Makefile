# Two commands matter: `make demo` and `make test`. Both set up what they need.
PYTHON ?= python3
BIN := .venv/bin
DEMO ?= demo-output
# For example: make bench BENCH="--full --quote"
BENCH ?=
# Two cores share the tests; torch must not start two threads in each.
TEST_JOBS ?= 2
export OMP_NUM_THREADS ?= 1

.PHONY: demo test quick check format train bench clean

demo: .venv/installed
	$(BIN)/python -m lithograph.demo $(DEMO)

test: .venv/installed check
	$(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadfile

quick: .venv/installed
	$(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadfile -m "not slow"

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[all,dev]"
	touch $@

bench: .venv/installed
	$(BIN)/python -m benchmarks $(BENCH)

clean:
	rm -rf .venv .venv-peers benchmarks/output $(DEMO) dist build .pytest_cache .mypy_cache .ruff_cache
