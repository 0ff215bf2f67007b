/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Timers on every kernel; for models too, which need nothing else of compat.
 */
#ifndef FERRY_COMPAT_TIMER_H
#define FERRY_COMPAT_TIMER_H

#include <linux/hrtimer.h>

#ifndef FERRY_HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#endif /* FERRY_COMPAT_TIMER_H */
