/*
 * job_fields - the members of a job that Faktory knows, found in one pass.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/job_fields.h"

#include <string.h>

#include "protocol/job.h"

static const struct {
	const char *name;
	size_t len;
	const char *written;
} fields[JOB_NFIELDS] = {
	[JOB_JID] = { "jid", 3, "\"jid\":" },
	[JOB_JOBTYPE] = { "jobtype", 7, "\"jobtype\":" },
	[JOB_QUEUE] = { "queue", 5, "\"queue\":" },
	[JOB_ARGS] = { "args", 4, "\"args\":" },
	[JOB_CUSTOM] = { "custom", 6, "\"custom\":" },
	[JOB_RETRY] = { "retry", 5, "\"retry\":" },
	[JOB_RESERVE_FOR] = { "reserve_for", 11, "\"reserve_for\":" },
	[JOB_BACKTRACE] = { "backtrace", 9, "\"backtrace\":" },
	[JOB_AT] = { "at", 2, "\"at\":" },
	[JOB_CREATED_AT] = { "created_at", 10, "\"created_at\":" },
	[JOB_ENQUEUED_AT] = { "enqueued_at", 11, "\"enqueued_at\":" },
	[JOB_FAILURE] = { "failure", 7, "\"failure\":" },
};

_Static_assert(
    (int)JOB_NFIELDS == (int)JOB_MEMBERS, "struct job has room for all");

const char *
job_field_written(enum job_field field)
{
	return fields[field].written;
}

enum job_field
job_field_of(const struct json *key)
{
	const char *bytes;
	size_t len;
	enum job_field f;

	/* Nearly every key is plain and lower case. */
	if (json_plain_string(key, &bytes, &len))
		for (f = 0; f < JOB_NFIELDS; f++)
			if (len == fields[f].len &&
			    memcmp(bytes, fields[f].name, len) == 0)
				return f;
	for (f = 0; f < JOB_NFIELDS; f++)
		if (field_is(key, fields[f].name))
			break;
	return f;
}

void
job_fields_collect(const struct json *object, struct json values[JOB_NFIELDS])
{
	struct json_walk w = json_walk(object);
	struct json key, value;

	memset(values, 0, JOB_NFIELDS * sizeof *values);
	while (json_next_member(&w, &key, &value)) {
		enum job_field f = job_field_of(&key);

		if (f < JOB_NFIELDS)
			values[f] = value;
	}
	for (enum job_field f = 0; f < JOB_NFIELDS; f++)
		if (values[f].kind == JSON_NULL)
			values[f].kind = JSON_NONE;
}
