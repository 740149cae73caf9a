/*
 * control_settings - where the supervisor takes orders, and from whom.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_CONTROL_SETTINGS_H
#define CONFIG_CONTROL_SETTINGS_H

#include <stdbool.h>
#include <sys/types.h>

#include "config/field.h"
#include "config/settings.h"
#include "config/sources.h"

/* Bytes. A socket's name may have 107, and while it is made it is longer. */
enum { CONTROL_SOCKET_MAX = 90 };

/* What `control.socket` says when there is to be none. */
#define CONTROL_OFF "off"

/* Where verbs look when nobody says, and where the units have theirs. */
#define CONTROL_SOCKET_DEFAULT "/run/faktotum/faktotum.sock"
#define CONTROL_SOCKET_UNIT    "/run/faktotum/%s/faktotum.sock"

/* Rows into a struct settings. */
extern const struct field control_settings_fields[];

/* Notes where the values stood. control is the mapping; NULL: none given. */
void control_settings_marks(const struct node *control, struct settings *s);

/*
 * faktotum.sock in the first directory of RUNTIME_DIRECTORY, which systemd
 * gives. False without one, or when the name would be too long.
 */
bool control_settings_runtime(
    const char *(*lookup)(const char *name), char out[CONTROL_SOCKET_MAX + 1]);

/* The number of a group. Returns 0, -ENOENT without one, or another negative
 * errno when the system cannot say. */
int control_settings_group(const char *name, gid_t *gid);

/*
 * Reads `control` alone: other mistakes of the files are not looked for, and
 * no secret is read. *path is owned: NULL when the files do not say. False
 * after at least one call of tell.
 */
bool control_settings_find(const struct sources *src,
    const char *(*lookup)(const char *name), settings_tell *tell, void *ctx,
    char **path);

#endif
