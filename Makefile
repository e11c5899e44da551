# `make demo` and `make test` need nothing but Python 3.11 or newer: they make .venv and install into it.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install demo test lint docs clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints/development.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	@# torch first and by its exact version: a range would fetch gigabytes of GPU libraries
	$(BIN)/python -m pip install --quiet $$(grep '^torch==' constraints/development.txt)
	$(BIN)/python -m pip install --quiet --constraint constraints/development.txt --editable '.[dev]'
	touch $(STAMP)

demo: install
	$(BIN)/haploom demo --force

test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The site, in site/: a dead link, a page outside the navigation or anything fetched from a network fails it.
docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

clean:
	rm -rf .venv demo site
