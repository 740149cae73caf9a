/*
 * confinement - who a program runs as, and what it may use and see.
 *
 * The words are systemd's (systemd.exec(5), systemd.resource-control(5)), in
 * small letters. What this process cannot apply, for want of a privilege or of
 * a kernel that can, is a mistake when the file is read.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_CONFINEMENT_H
#define CONFIG_CONFINEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/field.h"

/* The rows limit_*, in the order of confinement_resources. */
enum { CONFINEMENT_LIMITS = 8, CONFINEMENT_GROUPS_MAX = 64 };

/* RLIMIT_NOFILE and so on; getrlimit(2). */
extern const int confinement_resources[CONFINEMENT_LIMITS];

struct setting_number {
	bool given;
	int64_t value; /* INT64_MAX: infinity */
};

enum io_class { IO_AS_WE_ARE, IO_REALTIME, IO_BEST_EFFORT, IO_IDLE };

enum protect_system {
	PROTECT_OFF,
	PROTECT_YES,    /* /usr and /boot are read-only */
	PROTECT_FULL,   /* and /etc */
	PROTECT_STRICT, /* everything but /dev, /proc, /sys and its own */
};

/* How far a program is kept apart from all others. */
enum isolation {
	ISOLATE_NONE,
	ISOLATE_PROCESS, /* a process namespace of its own */
	ISOLATE_UNIT,    /* likewise, in a unit of the service manager */
};

struct account {
	bool user, group; /* whether it is another than ours */
	char *name;       /* the next three are owned; NULL without user */
	char *home, *shell;
	uid_t uid;
	gid_t gid;
	bool gid_known;                       /* the user's own, or group: */
	gid_t groups[CONFINEMENT_GROUPS_MAX]; /* with user or group */
	size_t ngroups;
	bool groups_given;
};

struct confinement {
	struct account account;
	struct setting_number limits[CONFINEMENT_LIMITS];
	struct setting_number nice;
	struct setting_number oom_score_adjust;
	enum io_class io_class;
	int64_t io_priority;
	bool no_new_privs;
	bool private_tmp;
	bool private_network;
	enum protect_system protect_system;
	enum isolation isolate;
	char *slice;      /* of such a unit; owned */
	char **read_only; /* absolute paths; owned */
	size_t nread_only;
	/* The next four need a control group; 0: no limit of its own. */
	int64_t memory_max; /* bytes */
	int64_t tasks_max;
	int64_t cpu_weight;
	int64_t cpu_quota; /* percent of one processor */
};

/* FIELD_OTHER decoders into a struct account. */
field_decode confinement_user, confinement_group, confinement_groups;

/* Into a struct setting_number: a count, a size, a time; or "infinity". */
field_decode confinement_count, confinement_size, confinement_seconds;

/* Into a struct setting_number. */
field_decode confinement_nice, confinement_oom_score;

/* Into a struct confinement. */
field_decode confinement_read_only;

/* "150%", into an int64_t. */
field_decode confinement_percent;

/*
 * Once all rows are read: fills in what depends on several, and complains,
 * with the place of the job, about what cannot be had here.
 */
void confinement_finish(struct reader *r, struct mark at, const char *prefix,
    struct confinement *c);

/* Frees what *c owns. */
void confinement_clear(struct confinement *c);

/* Whether limits are asked for that only a control group can keep. */
bool confinement_needs_cgroup(const struct confinement *c);

/* Whether the process itself must change anything but no_new_privs. */
bool confinement_is_plain(const struct confinement *c);

#endif
