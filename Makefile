# Everything sets itself up: the only needs are Python 3.11, pip, make and g++.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN    := .venv/bin
STAMP  := .venv/installed

# Two busy threads that wait for each other on two cores cost more than they give.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: demo test lint types unit golden fashion-mnist docs generated clean help

help:
	@echo "make demo           check, build and train the quickstart on handwritten digits (2 minutes)"
	@echo "make test           lint, type-check and test everything"
	@echo "make fashion-mnist  train the larger example to 91 % (5 minutes, needs the data set)"
	@echo "make golden         rewrite the expected outputs of the tests after a wanted change"
	@echo "make docs           build the docs as HTML"
	@echo "make generated      rewrite what the docs take from the code: schema, tables, picture"

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(STAMP)
	rm -rf runs/demo
	$(BIN)/dagdsl check examples/quickstart.dg
	$(BIN)/dagdsl build examples/quickstart.dg -o runs/demo/build
	$(BIN)/dagdsl train examples/quickstart.dg --data digits --epochs 40 --batch-size 32 \
		--out runs/demo
	$(BIN)/dagdsl eval runs/demo --routes 2

test: lint types unit

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

unit: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal -q

golden: $(STAMP)
	$(BIN)/pytest -q --update-golden

fashion-mnist: $(STAMP)
	$(BIN)/dagdsl train examples/fashion_mnist.dg --data fashion-mnist --epochs 4 --batch-size 64 --lr 0.006 --no-augment \
		--out runs/fashion-mnist

docs: $(STAMP)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/sphinx-build -q -W docs docs/_build
	@echo "open docs/_build/index.html"

generated: $(STAMP)
	cd dagdsl/syntax && ../../$(BIN)/python -c "from pathlib import Path; \
		from dagdsl.syntax.grammar import table_of; \
		Path('grammar.json').write_text(table_of(Path('grammar.lark').read_text()))"
	$(BIN)/python -c "import json, dagdsl; print(json.dumps(dagdsl.Net.json_schema(), indent=1))" \
		> docs/ir.schema.json
	$(BIN)/dagdsl graph examples/quickstart.dg -o docs/images/quickstart.svg
	$(BIN)/python docs/tables.py

clean:
	rm -rf .venv build runs dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
