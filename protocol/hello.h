/*
 * hello - the handshake: the server's HI, the client's HELLO, the password.
 *
 * HI {"v":2,"i":4000,"s":"5f"} tells the hash rounds and the salt when there
 * is a password; "x" names the extensions that the server offers. HELLO
 * carries who the client is, the hash, and "x" again: what it makes use of. docs/protocol.md, "Handshake".
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_HELLO_H
#define PROTOCOL_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	HELLO_VERSION = 2,
	HELLO_SALT_MAX = 64,
	/* A hostile server could ask for 2^31 rounds; real ones ask < 2^13. */
	HELLO_ROUNDS_MAX = 1 << 20,
	HELLO_HASH_HEX = 64,
	HELLO_LABELS_MAX = 64,
	HELLO_TEXT_MAX = 1024, /* wid, hostname, a label */
};

struct greeting {
	int version;
	uint32_t rounds; /* 0: no password is asked for */
	char salt[HELLO_SALT_MAX + 1];
	unsigned extensions; /* of enum extension */
};

/*
 * Reads the text of the greeting, "HI {...}", without '+' and line end.
 * Unknown keys are ignored. Returns 0, or -EINVAL / -ERANGE with *e set.
 */
int
greeting_parse(const char *text, size_t len, struct greeting *g, struct err *e);

/* Appends "+HI {...}\r\n". Returns as buf_append(). */
int greeting_put(struct buf *out, const struct greeting *g);

/*
 * A greeting with fresh random salt and rounds (4000 to 8095), or without
 * either. Returns 0 or -errno of getrandom(2).
 */
int greeting_make(struct greeting *g, bool password);

struct hello {
	int version;    /* 0 when missing */
	char *wid;      /* NULL: a producer */
	char *hostname; /* NULL when missing, as all strings here */
	char *username;
	char *pwdhash;
	int64_t pid;
	int64_t rss_kb;
	char **labels;
	size_t nlabels;
	unsigned extensions; /* those it acts on; of enum extension */
};

/*
 * Reads HELLO's argument. Keys match without regard to case, unknown ones are
 * ignored, the last of two equal ones counts. Types and sizes outside the
 * limits are an error. Returns 0 and the caller owns *h (hello_clear());
 * -EINVAL or -ENOMEM with *e set and nothing to clear.
 */
int hello_parse(const char *text, size_t len, struct hello *h, struct err *e);
void hello_clear(struct hello *h);

/*
 * Appends the whole HELLO line. With g->rounds > 0 the password is hashed
 * into "pwdhash"; password may be NULL, then none is sent. The extensions
 * that the greeting has and we know are named back.
 * Returns as buf_append(), or -EIO when the hash could not be made.
 */
int hello_put(struct buf *out, const struct hello *h, const struct greeting *g,
    const char *password);

/*
 * sha256 over password and salt, then `rounds - 1` times over the raw digest,
 * as lower-case hexadecimal and NUL. rounds is at least 1. 0 or -EIO.
 */
int password_hash(const char *password, const char *salt, uint32_t rounds,
    char hex[HELLO_HASH_HEX + 1]);

/*
 * Whether h proves that its sender knows the password. Time does not depend
 * on where the hashes differ. h->version below 2 never does: it would have
 * been hashed a single time.
 */
bool password_proved(
    const struct hello *h, const struct greeting *g, const char *password);

#endif
