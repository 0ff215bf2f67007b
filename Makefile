# SPDX-License-Identifier: GPL-2.0-only
#
# "make help" lists what can be asked for.

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNELS := 6.1 6.12 7.3 7.3-debug
CLANG := clang-19

root := $(CURDIR)
vm := selftests/vm

# SERIES=6.12 builds for the rig's kernel of that series, kept in its cache, in a
# folder of its own under build/.
ifneq ($(SERIES),)
KDIR := $(shell $(vm)/kernel kdir $(SERIES))
BUILD ?= build/$(SERIES)-$(if $(filter command%,$(origin CC)),$(notdir $(lastword $(CC))),gcc)$(if $(filter 1,$(DROPIN)),-dropin)
endif

# Kbuild writes next to the source. BUILD= names a folder that is filled with links
# to the sources instead, so that builds for several kernels stand side by side.
M := $(if $(BUILD),$(abspath $(BUILD)),$(root))

sources := Kbuild drivers include samples selftests/modules

farm = mkdir -p $(M) && { find $(addprefix $(M)/,$(sources)) -xtype l -delete 2>/dev/null || :; } && \
	find $(addprefix ./,$(sources)) -type f ! -name '*.mod.c' \
		\( -name '*.[ch]' -o -name 'Kbuild*' \) | \
	while read -r f; do \
		[ -e $(M)/$$f ] || { mkdir -p $(M)/$${f%/*}; ln -s $(root)/$$f $(M)/$$f; }; \
	done

# A kernel that gcc has built is configured for gcc; clang needs to be told
# otherwise. Its headers may choose gcc's named address spaces, of which clang
# says that they are given twice.
ifneq ($(filter command%,$(origin CC) $(origin LLVM)),)
compiler := $(if $(LLVM),clang$(filter -%,$(LLVM)),$(CC))
built-by-gcc := $(shell grep -s '^CONFIG_CC_IS_GCC=y' $(KDIR)/include/config/auto.conf)
ifneq ($(and $(findstring clang,$(compiler)),$(built-by-gcc)),)
kbuild-args += CONFIG_CC_IS_GCC= CONFIG_GCC_VERSION=0 CONFIG_GCC_PLUGINS=
kbuild-args += CONFIG_CC_IS_CLANG=y CONFIG_CLANG_VERSION=$(shell $(compiler) -dumpversion | \
	awk -F. '{ print $$1 * 10000 + $$2 * 100 + $$3 }')
kbuild-args += CONFIG_FTRACE_MCOUNT_USE_CC= CONFIG_FTRACE_MCOUNT_USE_OBJTOOL=y
kbuild-args += CONFIG_CC_IMPLICIT_FALLTHROUGH=-Wimplicit-fallthrough
kbuild-args += KCFLAGS="$(KCFLAGS) -Wno-duplicate-decl-specifier"
endif
endif

# Header packages hold neither the vmlinux that BTF is made from nor the key
# that the kernel trusts.
ifeq ($(wildcard $(KDIR)/vmlinux),)
kbuild-args += CONFIG_DEBUG_INFO_BTF_MODULES=
endif
ifeq ($(wildcard $(KDIR)/certs/signing_key.pem),)
kbuild-args += CONFIG_MODULE_SIG_ALL=
endif

# What tests load says which of its code has run, on a kernel with KCOV.
ifeq ($(FERRY_SELFTESTS),1)
kbuild-args += KCOV_INSTRUMENT=y
endif

# As parallel as the machine, unless the caller says how parallel.
jobs = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
kbuild = +@$(MAKE) $(jobs) --no-print-directory -C $(KDIR) M=$(M) $(kbuild-args)

.PHONY: modules
modules: kernel-check
	@$(if $(BUILD),$(farm))
	$(kbuild) modules

.PHONY: kernel-check
kernel-check:
	@DROPIN='$(DROPIN)' drivers/compat/supported '$(KDIR)'

# Kbuild's own depmod wants the System.map that header packages lack.
release = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)

# Where models that are not ours find headers, and symbols for each kernel; DKMS keeps
# our sources there.
devel = $(INSTALL_MOD_PATH)/usr/src/ferry-$(shell sed -n 's/^FERRY_VERSION := //p' Kbuild)

.PHONY: install
install: modules
	$(kbuild) modules_install INSTALL_MOD_DIR=updates cmd_depmod=: quiet_cmd_depmod=
	depmod $(addprefix -b ,$(INSTALL_MOD_PATH)) $(release)
	install -D -m 644 -t $(devel)/$(release) $(M)/Module.symvers
	[ -e $(devel)/dkms.conf ] || cp -r include $(devel)/

.PHONY: symbols
symbols: modules
	@install -D -m 644 -t $(SYMBOLS) $(M)/Module.symvers

# Under either name: what was built last may be the other.
flavours := drivers/pci/ferry-vfio-pci drivers/pci/vfio-pci

# What modules_install has put there, compressed or not.
updates = $(INSTALL_MOD_PATH)/lib/modules/$(release)/updates

.PHONY: uninstall
uninstall:
	@[ -e $(M)/modules.order ] || \
		{ echo 'nothing was built in $(M): uninstall from where you have installed' >&2; exit 1; }
	@[ -n '$(release)' ] || \
		{ echo 'no kernel headers in $(KDIR): KDIR= names those that you have installed for' >&2; exit 1; }
	{ sed 's,^$(M)/,,; s,\.k*o$$,,' $(M)/modules.order; printf '%s\n' $(flavours); } | while read -r f; do \
		rm -f $(updates)/$$f.ko $(updates)/$$f.ko.?z $(updates)/$$f.ko.zst; \
	done
	depmod $(addprefix -b ,$(INSTALL_MOD_PATH)) $(release)
	rm -rf $(devel)/$(release)
	[ -e $(devel)/dkms.conf ] || find $(devel) -name Module.symvers 2>/dev/null | grep -q . || \
		rm -rf $(devel)

.PHONY: sparse
sparse:
	@command -v sparse >/dev/null || { echo 'sparse is not installed: apt install sparse' >&2; exit 1; }
	+@$(MAKE) --no-print-directory modules C=2 FERRY_SELFTESTS=1

.PHONY: checkpatch
checkpatch:
	@selftests/checks/checkpatch

.PHONY: clean
clean:
	$(if $(wildcard $(KDIR)),$(kbuild) FERRY_SELFTESTS=1 clean)
	+@$(MAKE) -s -C selftests/unit clean
	rm -rf build

.PHONY: unit
unit:
	+$(MAKE) -C selftests/unit check

.PHONY: check
check:
	@selftests/checks/check $(KERNELS)

.PHONY: soak
soak:
	@selftests/checks/check --soak $(KERNELS)

# FUZZERS="config" runs only that one.
TIME ?= 60

.PHONY: fuzz
fuzz:
	@selftests/fuzz/run $(TIME) $(FUZZERS)

# BENCH=--accept makes the counts those that later ones are held against; BENCH=--guest counts
# what guests ask of a driver while they boot.
.PHONY: bench
bench:
	@selftests/bench/run $(BENCH) $(filter-out %-debug,$(KERNELS))

# COVERAGE=--report makes the report anew of what earlier runs have left; names of tests add
# what they run.
.PHONY: coverage
coverage:
	@selftests/coverage/run $(COVERAGE)

.PHONY: demo
demo:
	@$(vm)/demo

.PHONY: shell
shell:
	@$(vm)/run --load --device nvme --device edu

.PHONY: help
help:
	@echo 'Modules:'
	@echo '  modules     build every module for the running kernel (the default)'
	@echo '  install     install them for that kernel, in updates/, and run depmod; headers and'
	@echo '              symbols for models of others go to /usr/src/ferry-VERSION'
	@echo '  symbols     copy the symbols to the folder SYMBOLS, as DKMS does'
	@echo '  uninstall   remove what was installed from here'
	@echo '  clean       remove what was built'
	@echo ''
	@echo 'Try and test, in virtual machines; nothing is installed but Debian packages:'
	@echo '  demo        an NVMe controller and a mediated UART in a QEMU guest'
	@echo '  check       every test, on kernels $(KERNELS)'
	@echo '  soak        only the tests that have a long version, and that, for hours'
	@echo '  bench       what operations cost, in instructions, beside the kernel'"'"'s own drivers'
	@echo '  unit        only the unit tests, which run in user space'
	@echo '  coverage    which lines of the modules the tests run, as build/coverage/html'
	@echo '  fuzz        look for inputs that break something, TIME=60 seconds for each fuzzer'
	@echo '  shell       a shell in a virtual machine with the modules loaded'
	@echo ''
	@echo 'Static checks:'
	@echo '  sparse      build with sparse over every file'
	@echo '  checkpatch  the coding style of every file'
	@echo ''
	@echo 'Variables:'
	@echo '  KDIR=DIR    headers of the kernel to build for'
	@echo '  SERIES=6.1  build for a kernel of the rig, 6.1, 6.12 or 7.3, under build/'
	@echo '  BUILD=DIR   build in DIR, of links to the sources'
	@echo '  DROPIN=1    ferry-vfio-pci under the name vfio-pci, in place of the kernel'"'"'s own'
	@echo '  CC=$(CLANG) compiler; clang works for kernels that gcc has built'
	@echo '  W=1         more warnings; C=2 sparse; V=1 the commands'
