# SPDX-License-Identifier: GPL-2.0-only
#
# Finds KSFT, the folder with the kernel's kselftest harness and lib.mk: what
# the caller says, or what the rig has unpacked from a linux-source package.

ifeq ($(KSFT),)
KSFT := $(shell $(dir $(realpath $(lastword $(MAKEFILE_LIST))))vm/source --kselftest 2>/dev/null)
endif
ifeq ($(wildcard $(KSFT)/kselftest_harness.h),)
$(error no kselftest harness in '$(KSFT)': pass KSFT=<tools/testing/selftests of a kernel source tree>)
endif
