# `make demo` shows a first boot, `make test` runs all tests. See README.md and docs/development.md.
PYTHON := .venv/bin/python
CASE ?=
JOBS ?= 2
EXAMPLES ?= 5000
MUTANTS ?=
PAGES ?=
BENCH_BOOT ?=
DESTDIR ?=
prefix ?= /usr
libdir := $(DESTDIR)$(prefix)/lib/python3/dist-packages
bindir := $(DESTDIR)$(prefix)/bin
sharedir := $(DESTDIR)$(prefix)/share
# The interpreter of the launchers, which dracut/install-launchers writes.
PYTHON3 ?= /usr/bin/python3
# 1: byte code is made by this machine's PYTHON3. Below DESTDIR is another machine, whose Python may be another: it makes its own.
PYC ?= $(if $(DESTDIR),0,1)
# 1: keep a record for `make uninstall`. The build of a package, which sets SOURCE_DATE_EPOCH, has a list of its own.
RECORD ?= $(if $(SOURCE_DATE_EPOCH),0,1)
record := $(prefix)/share/coreos-ignition/installed-files
# Lines that name MAKE itself are run by `make --dry-run`, too.
make := $(MAKE)
# Where zsh looks for completion of packages: Debian's looks elsewhere than others do.
zshdir ?= zsh/$(if $(and $(filter /usr,$(prefix)),$(wildcard /etc/debian_version)),vendor-completions,site-functions)
KEY ?=
# Of Debian: bookworm (12) or trixie (13); empty: the suite of this machine for packages, bookworm for images.
SUITE ?=
image_suite := $(or $(SUITE),bookworm)
release_bookworm := 12
release_trixie := 13
other_suite := $(if $(filter-out bookworm,$(SUITE)),--suite $(SUITE))
# Of an image: cloud (for virtual machines) or generic (for any hardware).
KERNEL ?= cloud
image_name := coreos-ignition-debian$(release_$(image_suite))$(if $(filter-out cloud,$(KERNEL)),-$(KERNEL))
IMAGE ?= build/$(image_name).qcow2
IMAGES ?= build/$(image_name)
PXE ?= build/$(image_name)-pxe
build_image = $(PYTHON) vm-tests/image/build.py --suite $(image_suite) --kernel $(KERNEL)

.PHONY: help setup demo test check unit vm-test lab bench bench-boot fuzz mutants soak image image-set pxe image-check deb apt-repo screenshots install uninstall staged zipapp clean
help:
	@sed -n 's/^## //p' Makefile

setup:
	@.ci/setup

## make demo            boot a machine for the first time and show the result (DEMO_KEEP=1: leave it running)
demo: setup
	@$(PYTHON) vm-tests/demo.py

## make test            run all tests: linters, types, unit tests, tests as root, virtual machines
test: setup
	@$(PYTHON) tests/everything.py --jobs $(JOBS)

## make check           run the fast tests: without root, installations and virtual machines
check: setup
	@$(PYTHON) tests/everything.py --check

## make unit            run all tests except the virtual machines (SUITE=trixie: on Debian 13, in a root of its own)
unit: setup
	@$(PYTHON) tests/everything.py --unit $(other_suite)

## make vm-test CASE=x  run one case on a virtual machine (without CASE: all cases; SUITE=trixie: on Debian 13)
vm-test: setup
	@$(PYTHON) vm-tests/run.py $(if $(CASE),--case $(CASE)) $(other_suite) --jobs $(JOBS)

## make lab             boot a machine with blank disks and a TPM, to try configs with the agent of the source tree
lab: setup
	@$(PYTHON) vm-tests/lab.py --suite $(image_suite) --sync

## make image           build a bootable Debian disk image with the agent (SUITE=trixie; KERNEL=generic; IMAGE=path.qcow2, .raw.bz2, …)
image: setup
	@mkdir -p $(dir $(IMAGE))
	@$(build_image) --output $(IMAGE)

## make image-set KEY=x images in all formats, PXE set, manifest, SHA512SUMS, signatures, in IMAGES=build/… (KEY: a key of your gpg)
image-set: setup
	@$(build_image) --set $(IMAGES) $(if $(KEY),--key "$(KEY)")

## make pxe             build kernel, initramfs and root for machines without a disk, in PXE=build/…
pxe: setup
	@$(build_image) --pxe $(PXE)

## make image-check     build the image twice and compare: same sources, same bytes (some ten minutes)
image-check: setup
	@$(build_image) --check-reproducible

## make deb             build Debian packages in build/deb (SUITE=trixie: for Debian 13, in a root of its own)
deb: setup
	@$(PYTHON) packaging/deb.py $(if $(SUITE),--suite $(SUITE))

## make apt-repo KEY=x  make a signed repository in build/apt of the packages in build/deb (KEY: a key of your gpg)
apt-repo: setup
	@packaging/apt-repo "$(KEY)" build/deb build/apt

## make bench           compare speed and size with Debian's own ignition package
bench: setup
	@$(PYTHON) -m tests.bench.run

## make bench-boot      first boots with nothing to do, with this agent, Debian's ignition, cloud-init (BENCH_BOOT="--runs 1")
bench-boot: setup
	@$(PYTHON) vm-tests/bench_boot.py $(BENCH_BOOT)

## make fuzz            test thousands of generated and damaged configs (EXAMPLES=5000 per test)
fuzz: setup
	@FUZZ_EXAMPLES=$(EXAMPLES) FUZZ_DRAWS=20000 FUZZ_SEED=$$(date +%s) $(PYTHON) -m pytest -q tests/config/fuzz

## make mutants         random faults in a copy of the code: which of them no test notices (MUTANTS="--since main", "ignition/host")
mutants: setup
	@$(PYTHON) -m tests.mutants $(MUTANTS)

## make soak            run long stress tests: power cuts, generated configs, recipes, PXE, races, the image built twice
soak: setup
	@if [ "$$(id -u)" = 0 ]; then $(PYTHON) -m tests.soak.races && $(build_image) --check-reproducible && SOAK=1 $(PYTHON) -m pytest -q tests/packaging/test_your_image.py -k mkosi; else echo "races, image, mkosi: skipped, they need root"; fi
	@$(PYTHON) vm-tests/run.py --soak --jobs $(JOBS)

## make screenshots     pictures of pages for docs/images, taken in Chromium (PAGES="report": only these)
screenshots: setup
	@$(PYTHON) docs/screenshots.py $(PAGES)

## make install         install programs, dracut module, units, manual pages and completion to DESTDIR (prefix=/usr/local: no module)
install:
	@stage=$$(mktemp -d) && trap 'rm -rf "$$stage"' EXIT && umask 022 && \
	    $(make) --no-print-directory staged DESTDIR="$$stage" prefix="$(prefix)" && \
	    $(PYTHON3) -BIS packaging/installation.py install "$$stage" "$(DESTDIR)" $(if $(filter 1,$(RECORD)),"$(record)")
	$(if $(filter 1,$(PYC)),umask 022 && $(PYTHON3) -BIS -m compileall -q -s "$(DESTDIR)" $(libdir)/ignition $(libdir)/coreos_metadata)

## make uninstall       remove what `make install` with the same DESTDIR and prefix has installed
uninstall:
	@$(PYTHON3) -BIS packaging/installation.py uninstall "$(DESTDIR)" "$(record)"

# All files of an installation below DESTDIR, which is empty.
staged:
	install -d $(libdir) $(bindir)
	cp -r ignition coreos_metadata $(libdir)/
	find $(libdir)/ignition $(libdir)/coreos_metadata -name __pycache__ -prune -exec rm -rf {} +
	dracut/install-launchers $(bindir) $(DESTDIR)$(prefix)/lib/coreos-ignition $(prefix)/lib/python3/dist-packages
	dracut/install "$(DESTDIR)" "$(prefix)"
	$(PYTHON3) -BIS docs/man/generate.py $(sharedir)/man
	$(PYTHON3) -BIS packaging/completion/generate.py $(sharedir) $(zshdir)
	$(PYTHON3) -BIS packaging/schemas.py $(sharedir)/coreos-ignition/schemas

## make zipapp          all programs in one file for any machine with Python 3.11: build/ignition.pyz
zipapp:
	@$(or $(wildcard $(PYTHON)),python3) packaging/pyz/build.py build/ignition.pyz && echo build/ignition.pyz

clean:
	rm -rf build .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
