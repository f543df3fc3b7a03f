# Everything a person or a CI machine does with a checkout:
#
#   make run     the sample configuration on 127.0.0.1:8080, in the foreground
#   make test    lint, types, unit, integration and conformance tests
#   make help    the other targets
#
# PYTHON chooses the interpreter: make run PYTHON=python3.13

PYTHON ?= python3
CONFIG ?= etc/router.ini

# make bench: CASE= for all, TWISTED=1 for our other transports as well; VASSALS of
# the case emperor.
CASE ?=
ROUNDS ?= 5
SECONDS ?= 3
TWISTED ?=
VASSALS ?= 2000

# make soak: another number, and other things happen in another order.
SEED ?= 1

# make integration: what connections are made of, epoll or twisted.
TRANSPORT ?= epoll

# Three environments, so that what is tested is what is installed: RUN has no
# test tools, and REFERENCE holds a uWSGI compiled from its source.
RUN := .venv
TEST := .venv-test
REFERENCE := .venv-uwsgi
REFERENCE_VERSION := 2.0.31

PACKAGING := setup.cfg pyproject.toml
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

UNITS := $(filter-out tests.integration tests.conformance, \
	$(subst /,.,$(patsubst %/__init__.py,%,$(wildcard tests/*/__init__.py)))) \
	$(subst /,.,$(patsubst %.py,%,$(wildcard tests/test_*.py)))

.PHONY: help run test lint format types units integration soak bench servers test-all-pythons test-wheel clean

help:
	@echo 'make run               serve $(CONFIG) in the foreground (CONFIG=... for another)'
	@echo 'make test              lint, types and all tests; ends with the count'
	@echo 'make lint              ruff format --check and ruff check'
	@echo 'make types             mypy --strict'
	@echo 'make units             tests without network and processes'
	@echo 'make integration       tests against real servers, and uWSGI itself (TRANSPORT=twisted)'
	@echo 'make soak              ten sites are edited, broken and killed under load (SECONDS=180, SEED=1)'
	@echo 'make bench             beside uWSGI and nginx (CASE=http-close, ROUNDS=5, SECONDS=3, TWISTED=1)'
	@echo 'make servers           as root with apt: install those servers'
	@echo 'make format            let ruff format and fix'
	@echo 'make test-all-pythons  units on every Python that is found (3.11 to 3.14)'
	@echo 'make test-wheel        build the wheel, install it elsewhere, look for the plug-in'
	@echo 'make clean             remove environments, caches and builds'

# exec: the terminal's Ctrl-C and a supervisor's TERM reach twistd itself.
run: $(RUN)/installed
	exec $(RUN)/bin/twistd --nodaemon --pidfile= emperor --config $(CONFIG)

$(RUN)/installed: $(PACKAGING)
	@echo 'Preparing $(RUN); this takes a minute, once.'
	$(PYTHON) -m venv $(RUN)
	$(RUN)/bin/python $(PIP_INSTALL) --editable '.[uwsgi,formats]'
	touch $@

$(TEST)/installed: $(PACKAGING)
	$(PYTHON) -m venv $(TEST)
	$(TEST)/bin/python $(PIP_INSTALL) --editable '.[uwsgi,formats,test]'
	touch $@

# Without pip's cache: a wheel built before PCRE's headers were there has no
# route-host.  A machine that cannot compile goes on; its conformance tests say why.
$(REFERENCE)/installed: Makefile | servers
	rm -rf $(REFERENCE)
	$(PYTHON) -m venv $(REFERENCE)
	-$(REFERENCE)/bin/python $(PIP_INSTALL) --no-cache-dir uwsgi==$(REFERENCE_VERSION)
	touch $@

test: servers lint types $(REFERENCE)/installed
	$(TEST)/bin/python -m tests.run tests

lint: $(TEST)/installed
	$(TEST)/bin/ruff format --check .
	$(TEST)/bin/ruff check .

format: $(TEST)/installed
	$(TEST)/bin/ruff format .
	$(TEST)/bin/ruff check --fix .

types: $(TEST)/installed
	$(TEST)/bin/mypy

units: $(TEST)/installed
	$(TEST)/bin/python -m tests.run $(UNITS)

integration: $(TEST)/installed $(REFERENCE)/installed
	EMPEROR_TRANSPORT=$(TRANSPORT) $(TEST)/bin/python -m tests.run tests.integration tests.conformance

# Three of them: sockets of the Emperor's, the same with two router processes, and
# sockets of the vassals'.
soak: SECONDS = 180
soak: $(TEST)/installed
	$(TEST)/bin/python -m tests.soak --seconds $(SECONDS) --seed $(SEED)

# Results are written to bench/results; the table goes to the standard output.
bench: servers $(RUN)/installed $(REFERENCE)/installed
	$(RUN)/bin/python -m bench --rounds $(ROUNDS) --seconds $(SECONDS) --vassals $(VASSALS) \
		$(if $(TWISTED),--twisted) $(CASE)

servers:
	tests/install-servers $(PYTHON)

test-all-pythons:
	tests/run-all-pythons $(UNITS)

test-wheel:
	tests/check-wheel $(PYTHON)

clean:
	rm -rf $(RUN) $(TEST) $(REFERENCE) .venv-3.* build dist *.egg-info _trial_temp*
	rm -rf .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f twisted/plugins/dropin.cache twistd.pid twistd.log*
