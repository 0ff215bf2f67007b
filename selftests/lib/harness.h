/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kselftest harness, with more patience: a virtual machine on a busy host
 * may need minutes for what takes a second elsewhere, and only a hang shall
 * ever get to the end of it.
 */
#ifndef FERRYTEST_HARNESS_H
#define FERRYTEST_HARNESS_H

#include "kselftest_harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	900

#endif /* FERRYTEST_HARNESS_H */
