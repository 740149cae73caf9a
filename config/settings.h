/*
 * settings - the supervisor's configuration, checked and typed.
 *
 * Everyone reads these structs; only this room fills them, from the tables in
 * settings.c and handler.c. Strings are owned by the settings and live as long as they do.
 * Durations are nanoseconds, sizes are bytes. A mark says where in the file a
 * value stood, for messages that only a later check can give.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "config/confinement.h"
#include "config/document.h"
#include "config/exit_codes.h"
#include "config/template.h"
#include "config/tls_settings.h"

enum input_kind {
	INPUT_JOB,  /* the whole job, one line of JSON */
	INPUT_ARGS, /* its args array */
	INPUT_ARG0, /* the first argument as JSON */
	INPUT_RAW,  /* the first argument's bytes, a string without quotes */
	INPUT_NONE, /* /dev/null */
};

enum queue_order {
	QUEUES_STRICT,   /* a list: the first non-empty one is served */
	QUEUES_WEIGHTED, /* a mapping: drawn by weight at each fetch */
};

enum output_action {
	OUTPUT_CUT,  /* what is above the limit is read and dropped */
	OUTPUT_KILL, /* the program is stopped: OutputLimit */
};

/* What becomes of processes that a program leaves running. */
enum leftover_policy { LEFTOVER_KILL, LEFTOVER_WAIT, LEFTOVER_WARN };

/* Whose traces are looked for on a failed program's stderr. */
enum error_parser {
	PARSE_NONE,
	PARSE_PYTHON,
	PARSE_JAVA,
	PARSE_RUBY,
	PARSE_GO,
	PARSE_NODE,
	PARSE_PHP,
};

/* Of a jobtype that the file does not name. */
enum unknown_action {
	UNKNOWN_FAIL,    /* its job fails */
	UNKNOWN_DEAD,    /* and is not tried again */
	UNKNOWN_HANDLER, /* a handler takes it */
};

/* What becomes, at shutdown, of a job that no failure would leave anywhere. */
enum ephemeral_action {
	EPHEMERAL_REPUSH, /* it is given back, or pushed once more */
	EPHEMERAL_WAIT,   /* its program may finish */
	EPHEMERAL_FAIL,   /* it fails, and is gone */
};

struct job_files;
struct grants;
enum cgroup_use { CGROUP_AUTO, CGROUP_ON, CGROUP_OFF };
enum upgrade_kind { UPGRADE_AUTO, UPGRADE_ON, UPGRADE_OFF };

struct map;
struct sources;
struct patterns;
struct metric_names;

struct queue_setting {
	char *name;
	int64_t weight;      /* 1 in strict order */
	int64_t concurrency; /* jobs that may be here; 0: no limit */
	bool named; /* some handlers say that their jobs come from it */
	struct mark at;
};

struct env_setting {
	char *name;
	struct template *value;
};

/* When a handler is left alone because it does not work. */
struct breaker_settings {
	bool unavailable;     /* a program that cannot be started opens it */
	int64_t failures;     /* percent of `of` that open it; 0: never */
	int64_t of;           /* how many of the last jobs are looked at, */
	int64_t window;       /* if they ended within this time */
	int64_t cooldown;     /* the first, */
	int64_t max_cooldown; /* and the longest */
	int64_t hold;         /* how long a job waits for it */
};

/* Where what a program prints is kept, a file for each run. */
struct output_settings {
	char *dir;         /* NULL: nowhere */
	int64_t keep;      /* files that are older go; 0: none does */
	int64_t max_files; /* of this job, as the last */
	int64_t max_size;  /* bytes of one */
	int64_t max_total; /* bytes of all; 0: no limit */
};

struct handler {
	char *jobtype;
	struct mark at;

	/* exec: [program, templates...]; or shell: text, with args:; behind
	 * what wrap: puts in front */
	char *program;          /* absolute; /bin/sh for shell */
	struct template **argv; /* argv[0..nargv-1], the program first */
	size_t nargv;
	struct mark *argv_at; /* where each of them stood */
	size_t nwrap;         /* how many of the first are of wrap: */

	enum input_kind input;
	int64_t timeout;     /* 0: only the reservation limits it */
	int64_t grace;       /* from TERM to KILL */
	int64_t concurrency; /* 0: no limit of its own */
	char *cwd;           /* absolute; NULL: the private directory */
	int64_t umask;
	struct env_setting *env;
	size_t nenv;
	char **env_pass; /* names to take from our environment */
	size_t nenv_pass;
	struct job_files *files;    /* NULL: none */
	struct grants *credentials; /* that it may read; NULL: none */
	bool allow_dash;            /* no guard against option injection */
	bool any_bytes;             /* arguments need not be UTF-8 */
	bool misfit_is_dead;        /* what does not fit is tried no more */
	int64_t output_limit;       /* bytes of stdout and stderr; 0: none */
	enum output_action output_action;
	enum leftover_policy leftover;
	bool control;                 /* descriptor 3 is open for messages */
	int64_t message_max;          /* bytes of one */
	int64_t push_max;             /* follow-up jobs of one run */
	int64_t push_size;            /* bytes of them together */
	struct metric_names *metrics; /* that it may report; NULL: none */
	int64_t stall_timeout;        /* without a sign of life; 0: none */
	int64_t max_timeout;          /* what `extend` can reach; 0: refused */
	bool stdout_result;           /* what it prints there is its result */
	int64_t result_limit;         /* bytes of a result as JSON */
	struct output_settings output;
	int64_t log_rate; /* lines a second that reach the log */
	struct exit_codes exit_codes;
	int64_t later; /* of an exit code that means "later" */
	enum error_parser error_parser;
	struct patterns *redact; /* NULL: nothing */
	struct confinement confine;
	char **queues; /* that bring its jobs; none: any others */
	size_t nqueues;
	struct mark queues_at;
	struct breaker_settings breaker;
	int64_t crash_limit; /* deaths by signal that make a job dead; 0: no */
};

enum { SETTINGS_SERVERS_MAX = 8 };

struct settings {
	char *file;   /* what the operator named: a file or a directory */
	char **files; /* what was read, by mark.file */
	size_t nfiles;

	char **servers; /* URLs in the order in which they are tried */
	struct mark *servers_at;
	size_t nservers; /* 0: the environment says */
	struct mark password_at;
	char *password;      /* NULL: none, or the URL's */
	char *password_file; /* that it was read from, or may be; NULL: none */
	struct tls_settings tls;
	int64_t concurrency;
	enum queue_order queue_order;
	struct queue_setting *queues;
	size_t nqueues;
	char **labels;
	size_t nlabels;
	int64_t shutdown_grace;
	enum ephemeral_action shutdown_ephemeral;
	int64_t beat; /* time between heartbeats */
	bool emulate_dead;
	bool emulate_retry_in;
	enum log_format log_format;
	enum log_level log_level;
	bool whole_way; /* what leads to a program is checked, too */
	char *path;     /* PATH of every handler */
	char *tmpdir;   /* where private directories are made */
	struct mark tmpdir_at;
	enum upgrade_kind upgrade;
	enum cgroup_use cgroup;
	char *state_dir; /* of the outcome journal; NULL: none */
	struct mark state_dir_at;
	char *http_listen; /* numeric address and port; NULL: nowhere */
	struct mark http_listen_at;
	bool http_public;     /* others may reach it */
	char *control_socket; /* a path, "off", or NULL: systemd's place */
	struct mark control_socket_at;
	char *control_group; /* whose members may give orders; NULL: none */
	struct mark control_group_at;

	struct handler *handlers; /* sorted as in the file */
	size_t nhandlers;
	struct map *index; /* for settings_handler() */
	enum unknown_action unknown;
	char *unknown_jobtype;                 /* NULL: no handler takes it */
	const struct handler *unknown_handler; /* one of handlers, likewise */
};

typedef void settings_tell(void *ctx, const char *message);

/*
 * Checks the files of a configuration. Every mistake is reported through
 * `tell`, one call a mistake, in the order of the files: "file:line:column:
 * what is wrong, what is expected". lookup gives environment variables for
 * ${NAME}. Returns the settings, to be freed with settings_free(), or NULL
 * after at least one call of tell.
 */
struct settings *settings_make(const struct sources *src,
    const char *(*lookup)(const char *name), settings_tell *tell, void *ctx);

/* The same after reading the files that `path` stands for. */
struct settings *settings_load(const char *path,
    const char *(*lookup)(const char *name), settings_tell *tell, void *ctx);

/* The same for text already read; file is only its name. */
struct settings *settings_read(const char *file, const char *text, size_t len,
    const char *(*lookup)(const char *name), settings_tell *tell, void *ctx);

/*
 * What works but may not be meant, in the order of the file: arguments where
 * a job's value could be taken for an option, credentials that are not seen.
 */
void
settings_warnings(const struct settings *s, settings_tell *tell, void *ctx);

enum { SETTINGS_PLACE_MAX = 320 };

/* "file:line:column", for messages. Returns out. */
const char *settings_place(
    const struct settings *s, struct mark at, char out[SETTINGS_PLACE_MAX]);

/* Accepts NULL. */
void settings_free(struct settings *s);

/* The handler for a jobtype, or NULL. Borrowed. */
const struct handler *
settings_handler(const struct settings *s, const char *jobtype, size_t len);

/* The handler that takes a job of this type: its own, else the one that
 * `unknown` names; or NULL. Borrowed. */
const struct handler *
settings_choose(const struct settings *s, const char *jobtype, size_t len);

/* The queue of this name, or NULL. Borrowed. */
struct queue_setting *
settings_queue(const struct settings *s, const char *name);

/*
 * Whether jobs of this handler may come from this queue: when it names the
 * queue, or when neither names the other.
 */
bool settings_serves(const struct queue_setting *q, const struct handler *h);

#endif
