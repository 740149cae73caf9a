/*
 * log_fields - the log: group, the same for both programs.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/log_fields.h"

const struct field_choice log_formats[] = {
	{ "auto", LOG_FORMAT_AUTO },
	{ "text", LOG_FORMAT_TEXT },
	{ "journal", LOG_FORMAT_JOURNAL },
	{ "json", LOG_FORMAT_JSON },
	{ NULL, 0 },
};

const struct field_choice log_levels[] = {
	{ "error", LOG_LEVEL_ERROR },
	{ "warning", LOG_LEVEL_WARNING },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
	{ NULL, 0 },
};
