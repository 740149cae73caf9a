/*
 * upstream_events - what a server's conversations tell, and who hears of it.
 *
 * That one is up or lost, what a beat was answered, how many jobs may be asked
 * for and which came, that an outcome is confirmed: each goes to the parts of
 * the supervisor that owns the upstream, and to nobody else.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SUPERVISOR_UPSTREAM_EVENTS_H
#define SUPERVISOR_UPSTREAM_EVENTS_H

#include "supervisor/upstream.h"

/*
 * For upstream_open(). They reach everything by the upstream's owner, whose
 * parts must all be there before a conversation begins.
 */
extern const struct upstream_hooks upstream_events;

#endif
