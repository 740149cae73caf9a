/*
 * job_fields - the members of a job that Faktory knows, found in one pass.
 *
 * For protocol/job.c and protocol/job_put.c alone.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_JOB_FIELDS_H
#define PROTOCOL_JOB_FIELDS_H

#include "base/json.h"
#include "protocol/field.h"

enum job_field {
	JOB_JID,
	JOB_JOBTYPE,
	JOB_QUEUE,
	JOB_ARGS,
	JOB_CUSTOM,
	JOB_RETRY,
	JOB_RESERVE_FOR,
	JOB_BACKTRACE,
	JOB_AT,
	JOB_CREATED_AT,
	JOB_ENQUEUED_AT,
	JOB_FAILURE,
	JOB_NFIELDS, /* also: a member that Faktory does not know */
};

/* The field as a key: the lower-case name in quotes, and the colon. */
const char *job_field_written(enum job_field field);

/* Which field a key is, without regard to case; JOB_NFIELDS for none. */
enum job_field job_field_of(const struct json *key);

/*
 * The value of each field: of the last member of that name, JSON_NONE when
 * there is none or it is null.
 */
void
job_fields_collect(const struct json *object, struct json values[JOB_NFIELDS]);

#endif
