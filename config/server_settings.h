/*
 * server_settings - the job server's configuration, checked and typed.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFIG_SERVER_SETTINGS_H
#define CONFIG_SERVER_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "config/jobtypes.h"
#include "config/queue_weights.h"
#include "config/settings.h"

struct server_settings {
	char *file;     /* what was read, for messages */
	char *listen;   /* "host:port"; default 127.0.0.1:7419 */
	char *data;     /* directory; default /var/lib/faktotum */
	char *password; /* NULL: none is asked for */
	struct tls_settings tls;
	char *web_listen;   /* "host:port"; NULL: off; default 127.0.0.1:7420 */
	char *web_password; /* NULL: as password */
	bool web_public;    /* others may look without a password */
	bool web_plain;     /* no TLS there, though clients speak it */
	int64_t result_retention; /* ns; default 1 d; 0: none are kept */
	int64_t push_window;      /* ns; default 0: none */
	int64_t worker_grace;     /* ns; default 15 s */
	int64_t worker_silence;   /* ns; default 0: it is no death */
	int64_t restart_grace;    /* ns; default 2 min; 0: for ever */
	int64_t worker_deaths;    /* default 3; 0: they fail no job */
	struct jobtypes jobtypes; /* default: none, every job is welcome */
	struct queue_weights queue_weights; /* default: none */
	enum log_format log_format;
	enum log_level log_level;
	struct {
		int64_t connections; /* default 2000 */
		int64_t line;        /* bytes of one command; default 64M */
		int64_t job;         /* bytes of one job; 0: no limit */
		int64_t memory; /* bytes all connections may buffer; 512M */
		int64_t jobs;   /* how many may be here; 0: no limit */
		int64_t disk;   /* bytes they may take; 0: no limit */
	} limits;
};

/*
 * As settings_load(). file may be NULL: then everything is default. When
 * the file names no password it is the credential (secret.h), else
 * FAKTORY_PASSWORD; an empty one is a mistake, not "no password".
 */
struct server_settings *server_settings_load(const char *file,
    const char *(*lookup)(const char *name), settings_tell *tell, void *ctx);

/* The same for text already read; file is only its name. */
struct server_settings *
server_settings_read(const char *file, const char *text, size_t len,
    const char *(*lookup)(const char *name), settings_tell *tell, void *ctx);

/*
 * Whether others than this host can reach web_listen, and nothing is asked of
 * them, and web_public does not allow that. For an address that came after
 * the file was checked.
 */
bool web_settings_exposed(const struct server_settings *s);

/*
 * Takes from next what may change while the server runs: passwords, the
 * names of certificates if next has them, the jobtypes, and the queues'
 * weights. next has what was there before then.
 */
void
server_settings_renew(struct server_settings *s, struct server_settings *next);

/* Accepts NULL. */
void server_settings_free(struct server_settings *s);

#endif
