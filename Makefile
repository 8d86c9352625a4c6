# Every target sets itself up: Python 3.11 or newer and make are all it takes.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
SAMPLE := $(firstword $(sort $(wildcard Resources/Samples/*.nii.gz)))

.PHONY: demo test lint clean

demo: $(READY)
	@rm -rf demo-result; started=$$(date +%s); \
	$(PY) -m SpineNetCore analyse "$(SAMPLE)" --output demo-result && \
	echo "Report:   $(CURDIR)/demo-result/report.html" && \
	echo "Total:    $$(($$(date +%s) - started)) s from start to finish" && \
	$(PY) -c 'import json; t = json.load(open("demo-result/report.json"))["timings_s"]; \
	print("Analysis: %.1f s" % t.get("total", sum(t.values())))'

test: lint
	OMP_NUM_THREADS=1 $(PY) -m pytest -n 2

lint: $(READY)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

clean:
	rm -rf $(VENV) demo-result build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; \
	sys.exit(None if sys.version_info >= (3, 11) else f"Python {v} is too old: run make PYTHON=python3.11 or newer")'
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -q -r requirements-dev.txt
	@touch $@
