/*
 * event - turns in a life, of a job or of the supervisor, by name.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/event.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct event event_table[] = {
	{ JOB_STARTED, "c2d3f9e66e77ec9ca9c7dc27c3adca3e" },
	{ JOB_DONE, "379ab7534bcb03e7b91a5b50c94103ee" },
	{ JOB_FAILED, "aab9e153077642954e4862fc9831873b" },
	{ JOB_OOM, "3882740bb379c0da6a4aa80bc5d33539" },
	{ JOB_LOST, "8d8d303853b13c5a17961baa63d25fac" },
	{ EVENT_READY, "2100e4202c85dbd401cc9ce2d471da94" },
	{ EVENT_DRAINING, "36acf80c4035685eca997061f8f40668" },
	{ EVENT_RELOAD_FAILED, "d4792417b43986ffc82ff07b0d8ab5a1" },
	{ NULL, NULL },
};

const char *
event_id(const char *name)
{
	for (const struct event *e = event_table; e->name != NULL; e++)
		if (strcmp(e->name, name) == 0)
			return e->id;
	return NULL;
}

void
event_say(enum log_level level, const char *name, const char *subject,
    const char *fmt, ...)
{
	const struct log_tag field = { "event", name };
	va_list args;
	char *text;

	if (!log_wants(level))
		return;
	va_start(args, fmt);
	int len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return;
	const struct log_event ev = { .level = level,
		.subject = subject,
		.fields = &field,
		.nfields = 1,
		.message = text,
		.len = (size_t)len };
	log_put(&ev);
	free(text);
}
