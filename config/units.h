/*
 * units - durations and sizes as people write them: 90s, 5m, 512M.
 *
 * A duration is a whole number and one of ms, s, m, h, d; only zero may stand
 * alone. A size is bytes, or a whole number and one of K, M, G (1024 each).
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_UNITS_H
#define CONFIG_UNITS_H

#include <stdint.h>

/*
 * Reads the whole text. Returns 0; -EINVAL for other text, -ERANGE when the
 * value does not fit, and for a duration -EDOM when only the unit is missing.
 */
int units_duration(const char *text, int64_t *ns);
int units_size(const char *text, int64_t *bytes);

/* Digits with an optional '-'. Returns 0, -EINVAL or -ERANGE. */
int units_integer(const char *text, int64_t *value);

/*
 * The shortest exact form, as the functions above read it: "90s" is "90s",
 * "120s" is "2m". ns must be whole milliseconds, both must not be negative.
 */
enum { UNITS_SHOWN_MAX = 32 };
void units_show_duration(int64_t ns, char out[UNITS_SHOWN_MAX]);
void units_show_size(int64_t bytes, char out[UNITS_SHOWN_MAX]);

#endif
