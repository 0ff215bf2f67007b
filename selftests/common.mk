# SPDX-License-Identifier: GPL-2.0-only
#
# What the Makefiles of all topics share: where the kselftest harness is, and
# the library that every test program is linked with.
#
# KSFT is the folder that holds lib.mk and kselftest_harness.h.

selftests := $(realpath $(dir $(lastword $(MAKEFILE_LIST))))
include $(selftests)/ksft.mk

CFLAGS += -g -Wall -Wextra -isystem $(KSFT) $(KHDR_INCLUDES)
LOCAL_HDRS += $(wildcard $(selftests)/lib/*.h)

# Under emulation a program takes longer than the default of 45 seconds.
export kselftest_override_timeout ?= 3600

include $(KSFT)/lib.mk

$(TEST_GEN_PROGS) $(TEST_GEN_PROGS_EXTENDED): $(wildcard $(selftests)/lib/*.c)
