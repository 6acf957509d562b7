# The same steps without make: see README.md.
#
#   make demo    set up .venv and run the demo
#   make test    set up .venv with the dev extra and run what CI runs
#   make docs    set up .venv with the dev extra and build the documentation into site/
#   make clean   remove .venv
#
# The stamps in .venv record that it was installed from this pyproject.toml.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
MADE := $(VENV)/.made
APP := $(VENV)/.installed
DEV := $(VENV)/.installed-dev

.PHONY: demo test docs clean
.DELETE_ON_ERROR:

demo: $(APP)
	$(BIN)/fmstudio demo

test: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

docs: $(DEV)
	$(BIN)/python -m mkdocs build --strict

clean:
	rm -rf $(VENV)

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo >&2 \
	  "fmstudio needs Python 3.11 or newer, and '$(PYTHON)' is not: name another, as in 'make demo PYTHON=python3.12'."; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(APP): pyproject.toml $(MADE)
	$(BIN)/python -m pip install --disable-pip-version-check -e .
	@touch $@

# What the dev extra installs includes the application.
$(DEV): pyproject.toml $(MADE)
	$(BIN)/python -m pip install --disable-pip-version-check -e ".[dev]"
	@touch $(APP) $@
