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

# Compiled once for all programs of a topic, each of which takes what it uses.
library := $(OUTPUT)/lib/libferry.a
objects := $(patsubst $(selftests)/lib/%.c,$(OUTPUT)/lib/%.o,$(wildcard $(selftests)/lib/*.c))
EXTRA_CLEAN += $(OUTPUT)/lib

$(objects): $(OUTPUT)/lib/%.o: $(selftests)/lib/%.c $(LOCAL_HDRS)
	$(call msg,CC,,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPILE.c) $< -o $@

$(library): $(objects)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

# Once more at the end, for programs of several files.
LDLIBS += $(library)
$(TEST_GEN_PROGS) $(TEST_GEN_PROGS_EXTENDED): $(library)
