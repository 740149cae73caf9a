/*
 * slice - the name of a group of the service manager's units.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_SLICE_H
#define CONFIG_SLICE_H

#include "config/field.h"

/* "jobs-nightly.slice" lies in "jobs.slice": systemd.slice(5). An owned text. */
field_decode slice_decode;

#endif
