# Every target sets up .venv by itself; `make help` lists them. ARGS reaches the command: make run ARGS=--fast
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	"$$python" -c "$(SUITABLE)" 2>/dev/null && echo "$$python" && break; done)
VENV := .venv/bin/python
IN_PARALLEL := --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

.venv/installed: requirements.txt pyproject.toml
	@"$(PYTHON)" -c "$(SUITABLE)" 2>/dev/null || \
		{ echo "The course needs Python 3.11, 3.12 or 3.13: install one, or name it with make PYTHON=..." >&2; exit 1; }
	@echo "Installing the course into .venv (a few minutes, only once)"
	@"$(PYTHON)" -m venv .venv
	@$(VENV) -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

run: .venv/installed  ## run the whole course, notebook by notebook
	$(VENV) run_course.py $(ARGS)

test: lint  ## run every test, the notebooks with quick parameters
	$(VENV) -m pytest $(IN_PARALLEL) $(ARGS)

test-full: lint  ## run the notebooks with their own parameters (long)
	$(VENV) -m pytest --full $(ARGS)

lab: .venv/installed  ## open your copies of the notebooks in JupyterLab
	@$(VENV) -m mnist_course.copies
	$(VENV) -m jupyterlab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/my_notebooks/01_data_exploration.ipynb $(ARGS)

notebooks: .venv/installed  ## run every notebook and store its outputs
	$(VENV) run_course.py --refresh $(ARGS)

train: .venv/installed  ## train the network
	$(VENV) train_model.py $(ARGS)

evaluate: .venv/installed  ## evaluate it on the test set
	$(VENV) evaluate_model.py $(ARGS)

test-browser: .venv/installed  ## use the pad, the page and the site in Chromium
	@$(VENV) -m pip install --quiet --disable-pip-version-check "playwright>=1.49"
	@command -v npm >/dev/null || \
		{ test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq --no-install-recommends npm >/dev/null; } || \
		{ echo "axe-core, which finds what keeps people out, comes from npm: install it (Debian: sudo apt-get install npm)." >&2; exit 2; }
	@npm install --silent --prefix .venv/axe axe-core@4
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
		{ test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
		{ echo "Pad, page and site are tested in Chromium: install it (Debian: sudo apt-get install chromium), then try again." >&2; exit 2; }
	$(VENV) -m pytest tests/browser/check_*.py $(ARGS)

COLAB_PYTHON ?= $(shell for python in python3.13 $(HOME)/.pyenv/versions/3.13*/bin/python python3 python; do \
	"$$python" -c "import sys; sys.exit(sys.version_info[:2] != (3, 13))" 2>/dev/null && echo "$$python" && break; done)
COLAB_VENV := .venv-colab/bin/python

.venv-colab/installed: tests/colab_versions.txt mnist_course/colab_requirements.txt
	@"$(COLAB_PYTHON)" -c "import sys; sys.exit(sys.version_info[:2] != (3, 13))" 2>/dev/null || \
		{ echo "Colab runs Python 3.13: install it, or name it with make test-colab COLAB_PYTHON=..." >&2; exit 2; }
	@echo "Installing what Colab has into .venv-colab (a few minutes, only once)"
	@"$(COLAB_PYTHON)" -m venv .venv-colab
	@$(COLAB_VENV) -m pip install --quiet --disable-pip-version-check --requirement tests/colab_versions.txt
	@$(COLAB_VENV) -m pip install --quiet --disable-pip-version-check --no-deps \
		--requirement mnist_course/colab_requirements.txt
	@touch $@

test-colab: .venv/installed .venv-colab/installed  ## run every notebook with what Colab has, as if it were there
	$(VENV) -m pytest tests/colab/check_notebooks.py $(ARGS)

BACKENDS_VENV := .venv-backends/bin/python

.venv-backends/installed: requirements.txt pyproject.toml
	@"$(PYTHON)" -c "$(SUITABLE)" 2>/dev/null || \
		{ echo "The course needs Python 3.11, 3.12 or 3.13: install one, or name it with make PYTHON=..." >&2; exit 1; }
	@echo "Installing the course with JAX and PyTorch into .venv-backends (several minutes, only once; CONTRIBUTING.md)"
	@"$(PYTHON)" -m venv .venv-backends
	@$(BACKENDS_VENV) -m pip install --quiet --disable-pip-version-check --requirement requirements.txt jax torch
	@touch $@

test-backends: .venv-backends/installed  ## run every notebook and the commands on JAX and on PyTorch
	@for backend in jax torch; do \
		echo "KERAS_BACKEND=$$backend"; \
		KERAS_BACKEND=$$backend $(BACKENDS_VENV) -m pytest $(IN_PARALLEL) \
			tests/backends/check_backends.py tests/test_training.py tests/test_line_pictures.py tests/test_commands.py notebooks $(ARGS) || exit 1; \
	done

page: .venv/installed  ## build the page that reads digits in the browser, one file
	$(VENV) -m mnist_course.web_page

site: .venv/installed  ## write the course as a website that needs no server
	$(VENV) -m mnist_course.course_site

student: .venv/installed  ## zip the course for students, without solutions
	$(VENV) -m mnist_course.packs student

teacher: .venv/installed  ## zip the course for teachers, with solutions and plans
	$(VENV) -m mnist_course.packs teacher

sheets: .venv/installed  ## write a page a lesson with its questions, to print and fill in
	$(VENV) -m mnist_course.sheets

collect: .venv/installed  ## run what learners handed in: make collect FOLDER=path
	$(VENV) -m mnist_course.collect "$(FOLDER)" $(ARGS)

lint: .venv/installed  ## check the code
	$(VENV) -m ruff check .

colab: .venv/installed  ## write the course's address for Colab: make colab REPO=owner/name
	$(VENV) -m mnist_course.colab "$(REPO)"

.PHONY: help run test test-full test-browser test-colab test-backends lab notebooks train evaluate page site student teacher sheets collect lint colab
