# Each target installs what it needs. Requirements: Python 3.11 to 3.13, pip, make and g++.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN    := .venv/bin
STAMP  := .venv/installed
OLDEST := .venv-oldest
VARIANTS ?= 20000
BASE   ?= HEAD~1
VSCODE := editors/vscode

.PHONY: demo test lint types unit test-oldest fuzz fuzz-std golden fashion-mnist bench bench-quick bench-compare docs generated vsix editor-test clean help

help:
	@echo "make demo           check, build and train the quickstart on handwritten digits (1 minute)"
	@echo "make test           lint, type-check and test everything"
	@echo "make test-oldest    run the tests with the oldest supported versions (20 minutes, several GB)"
	@echo "make fashion-mnist  train the larger example to 91 % (5 minutes, needs the data set)"
	@echo "make bench          measure the performance goals and rewrite docs/performance.md (40 minutes)"
	@echo "make bench-quick    test the benchmarks on small nets; leaves docs/performance.md alone"
	@echo "make bench-compare  compare speed with an earlier commit, BASE=COMMIT, in interleaved runs (30 minutes)"
	@echo "make fuzz           mutate every example 20,000 times; only diagnostics may result (over an hour)"
	@echo "make fuzz-std       the same for the standard library (many hours)"
	@echo "make golden         rewrite the expected outputs of the tests after an intended change"
	@echo "make docs           build the docs as HTML"
	@echo "make generated      rewrite generated files: parser tables, JSON Schema, tables of the docs, picture"
	@echo "make vsix           package the extension for Visual Studio Code (needs node and npm)"
	@echo "make editor-test    test the syntax highlighting of .dg files (needs node and npm)"

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

$(OLDEST)/installed: pyproject.toml constraints-oldest.txt
	test -x $(OLDEST)/bin/python || $(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/pip install --quiet --constraint constraints-oldest.txt --editable '.[dev]'
	touch $@

test-oldest: $(OLDEST)/installed
	OMP_NUM_THREADS=1 $(OLDEST)/bin/pytest -n 2 --dist worksteal -q

fuzz: $(STAMP)
	$(BIN)/python -m tests.frontend.fuzz $(VARIANTS) $(wildcard examples/*.dg examples/*/*.dg)

fuzz-std: $(STAMP)
	$(BIN)/python -m tests.frontend.fuzz $(VARIANTS) $(wildcard dagdsl/std/*.dg dagdsl/std/*/*.dg)

golden: $(STAMP)
	$(BIN)/pytest -q --update-golden

fashion-mnist: $(STAMP)
	rm -rf runs/fashion-mnist
	$(BIN)/dagdsl train examples/fashion_mnist.dg --data fashion-mnist --epochs 4 --batch-size 64 \
		--lr 0.006 --no-augment --out runs/fashion-mnist

bench: $(STAMP)
	$(BIN)/python -m benchmarks.goals
	$(BIN)/python -m benchmarks.report

bench-quick: $(STAMP)
	$(BIN)/python -m benchmarks.goals --quick --output build/bench/performance.json

bench-compare: $(STAMP)
	$(BIN)/python -m benchmarks.compare $(BASE)

docs: $(STAMP)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/sphinx-build -q -W docs docs/_build
	@echo "open docs/_build/index.html"

generated: $(STAMP)
	$(BIN)/python -m dagdsl.syntax.generate
	$(BIN)/python -c "import json, dagdsl; print(json.dumps(dagdsl.Net.json_schema(), indent=1))" \
		> docs/ir.schema.json
	$(BIN)/dagdsl graph examples/quickstart.dg -o docs/images/quickstart.svg
	$(BIN)/python docs/tables.py

$(VSCODE)/node_modules: $(VSCODE)/package-lock.json
	cd $(VSCODE) && npm ci --no-audit --no-fund --loglevel=error
	touch $@

vsix: $(VSCODE)/node_modules
	cp LICENSE $(VSCODE)/LICENSE
	cd $(VSCODE) && npm run --silent package; status=$$?; rm -f LICENSE; exit $$status

editor-test: $(VSCODE)/node_modules
	cd $(VSCODE) && npm run --silent test

clean:
	rm -rf $(VSCODE)/node_modules $(VSCODE)/dist
	rm -rf .venv $(OLDEST) build runs dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
