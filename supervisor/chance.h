/*
 * chance - numbers that nobody can foresee, from the kernel.
 *
 * For jitter and for drawing lots between queues. Only for the loop's thread.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_CHANCE_H
#define SUPERVISOR_CHANCE_H

#include <stdint.h>

/* A number from 0 to n - 1, all equally likely; n must not be 0. */
uint64_t chance_below(uint64_t n);

/* A number from low to high. */
double chance_between(double low, double high);

#endif
