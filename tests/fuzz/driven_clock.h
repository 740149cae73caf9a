/*
 * driven_clock - time that stands still until an input moves it.
 *
 * For our own rooms by clock_freeze(). libev asks clock_gettime() itself, so
 * that function is here: libev's code hears the driven time, all others, the
 * fuzzer's own included, the real one. Where libev is not a library of its own
 * to be told apart by its address, time passes for it as it does.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_DRIVEN_CLOCK_H
#define TESTS_FUZZ_DRIVEN_CLOCK_H

#include <link.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static struct {
	bool driven; /* from the first clock_drive() on */
	int64_t wall, mono;
	uintptr_t begin, end; /* libev's code */
} driven_clock;

static int
driven_clock_look(struct dl_phdr_info *info, size_t size, void *ctx)
{
	(void)size;
	(void)ctx;
	if (info->dlpi_name == NULL ||
	    strstr(info->dlpi_name, "libev.so") == NULL)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || (p->p_flags & PF_X) == 0)
			continue;
		driven_clock.begin = info->dlpi_addr + p->p_vaddr;
		driven_clock.end = driven_clock.begin + p->p_memsz;
	}
	return 1;
}

int
clock_gettime(clockid_t which, struct timespec *t)
{
	uintptr_t caller = (uintptr_t)__builtin_return_address(0);
	int64_t now;

	if (!driven_clock.driven || caller < driven_clock.begin ||
	    caller >= driven_clock.end)
		return (int)syscall(SYS_clock_gettime, which, t);
	now = which == CLOCK_REALTIME ? driven_clock.wall : driven_clock.mono;
	t->tv_sec = (time_t)(now / CLOCK_NS_PER_S);
	t->tv_nsec = (long)(now % CLOCK_NS_PER_S);
	return 0;
}

/* Both clocks go on by mono; the wall clock is also set by step. In ns. */
static void
clock_drive(int64_t mono, int64_t step)
{
	if (!driven_clock.driven) {
		(void)dl_iterate_phdr(driven_clock_look, NULL);
		driven_clock.wall = INT64_C(1800000000) * CLOCK_NS_PER_S;
		driven_clock.mono = INT64_C(1000000) * CLOCK_NS_PER_S;
		driven_clock.driven = true;
	}
	driven_clock.mono += mono;
	driven_clock.wall += mono + step;
	clock_freeze(driven_clock.wall, driven_clock.mono);
}

#endif
