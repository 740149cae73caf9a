/*
 * log_fields - the log: group, the same for both programs.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_LOG_FIELDS_H
#define CONFIG_LOG_FIELDS_H

#include "base/log.h"
#include "config/field.h"

extern const struct field_choice log_formats[];
extern const struct field_choice log_levels[];

/* The two rows, for a struct that has enums of these at these offsets. */
#define LOG_FIELDS(format_offset, level_offset)                                \
	{ .name = "format",                                                    \
		.kind = FIELD_CHOICE,                                          \
		.offset = (format_offset),                                     \
		.choices = log_formats,                                        \
		.dflt = "auto",                                                \
		.help = "`text` and `json` are lines on standard error. "      \
			"`journal` speaks to the system's journal, as far as " \
			"the program can, else writes lines with a priority. " \
			"`auto` is `journal` when standard error is the "      \
			"journal, as in a service of systemd, else `text`." }, \
	{                                                                      \
		.name = "level", .kind = FIELD_CHOICE,                         \
		.offset = (level_offset), .choices = log_levels,               \
		.dflt = "info",                                                \
		.help = "The least important lines that are written."          \
	}

#endif
