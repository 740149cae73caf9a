/*
 * hello - the handshake: the server's HI, the client's HELLO.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/hello.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/json.h"
#include "protocol/extension.h"
#include "protocol/field.h"

enum {
	ROUNDS_LEAST = 4000,
	ROUNDS_SPREAD = 4096,
};

static int
check_object(const char *text, size_t len, struct json *object, struct err *e)
{
	struct json_fault fault;

	if (json_check(text, len, object, &fault) < 0)
		return err_set(e, EINVAL, "invalid JSON: %s at byte %zu",
		    fault.why, fault.at);
	if (object->kind != JSON_OBJECT)
		return err_set(e, EINVAL, "expected a JSON object");
	return 0;
}

/* "i" and "s": both, or no password is asked for. */
static int
read_challenge(const struct json *object, struct greeting *g, struct err *e)
{
	struct json i = field_get(object, "i");
	struct json s = field_get(object, "s");
	int64_t rounds;

	if (i.kind == JSON_NONE && s.kind == JSON_NONE)
		return 0;
	if (field_int(&i, &rounds) < 0 || rounds < 1)
		return err_set(e, EINVAL,
		    "the number of hash rounds must be an integer above 0");
	if (rounds > HELLO_ROUNDS_MAX)
		return err_set(e, ERANGE,
		    "asks for %" PRId64 " hash rounds, more than %d", rounds,
		    HELLO_ROUNDS_MAX);

	char *salt;
	int r = field_text(&s, HELLO_SALT_MAX, &salt);
	if (r == -ERANGE)
		return err_set(e, ERANGE, "the salt is longer than %d bytes",
		    HELLO_SALT_MAX);
	if (r < 0 || salt == NULL)
		return err_set(e, EINVAL, "the salt must be a string");
	memcpy(g->salt, salt, strlen(salt) + 1);
	free(salt);
	g->rounds = (uint32_t)rounds;
	return 0;
}

int
greeting_parse(const char *text, size_t len, struct greeting *g, struct err *e)
{
	struct greeting read = { 0 };
	struct json object;
	int64_t version;

	if (len < 3 || memcmp(text, "HI ", 3) != 0)
		return err_set(e, EINVAL,
		    "greeting: does not begin with \"HI {\"; "
		    "this is no Faktory server");
	if (check_object(text + 3, len - 3, &object, e) < 0)
		return err_wrap(e, "greeting");

	struct json v = field_get(&object, "v");
	if (v.kind == JSON_NONE || field_int(&v, &version) < 0 || version < 0 ||
	    version > INT32_MAX)
		return err_set(
		    e, EINVAL, "greeting: the version must be an integer");
	read.version = (int)version;
	if (read_challenge(&object, &read, e) < 0)
		return err_wrap(e, "greeting");
	struct json x = field_get(&object, "x");
	read.extensions = extension_read(&x);
	*g = read;
	return 0;
}

int
greeting_put(struct buf *out, const struct greeting *g)
{
	size_t before = buf_len(out);

	int r = buf_printf(out, "+HI {\"v\":%d", g->version);
	if (r == 0 && g->rounds > 0) {
		r = buf_printf(out, ",\"i\":%" PRIu32 ",\"s\":", g->rounds);
		if (r == 0)
			r = json_put_string(out, g->salt, strlen(g->salt));
	}
	if (r == 0 && g->extensions != 0)
		r = buf_puts(out, ",\"x\":");
	if (r == 0 && g->extensions != 0)
		r = extension_put(out, g->extensions);
	if (r == 0)
		r = buf_puts(out, "}\r\n");
	if (r < 0)
		buf_cut(out, before);
	return r;
}

int
greeting_make(struct greeting *g, bool password)
{
	static const char digits[] = "0123456789abcdef";
	struct {
		unsigned char salt[8];
		uint32_t rounds;
	} chance;
	struct greeting made = { .version = HELLO_VERSION };

	if (!password) {
		*g = made;
		return 0;
	}
	ssize_t n;
	do
		n = getrandom(&chance, sizeof chance, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;

	for (size_t i = 0; i < sizeof chance.salt; i++) {
		made.salt[2 * i] = digits[chance.salt[i] >> 4];
		made.salt[2 * i + 1] = digits[chance.salt[i] & 15];
	}
	made.rounds = ROUNDS_LEAST + chance.rounds % ROUNDS_SPREAD;
	*g = made;
	return 0;
}

static int
read_text(
    const struct json *object, const char *name, char **out, struct err *e)
{
	struct json value = field_get(object, name);

	int r = field_text(&value, HELLO_TEXT_MAX, out);
	if (r == -ENOMEM)
		return err_set(e, ENOMEM, "out of memory");
	if (r == -ERANGE)
		return err_set(e, EINVAL, "%s is longer than %d bytes", name,
		    HELLO_TEXT_MAX);
	if (r < 0)
		return err_set(e, EINVAL, "%s must be a string", name);
	return 0;
}

static int
read_number(
    const struct json *object, const char *name, int64_t *out, struct err *e)
{
	struct json value = field_get(object, name);

	if (field_int(&value, out) < 0)
		return err_set(e, EINVAL, "%s must be an integer", name);
	return 0;
}

static int
read_labels(const struct json *object, struct hello *h, struct err *e)
{
	struct json array = field_get(object, "labels");
	struct json_walk w = json_walk(&array);
	struct json label;

	if (array.kind == JSON_NONE)
		return 0;
	if (array.kind != JSON_ARRAY)
		return err_set(e, EINVAL, "labels must be an array");
	size_t n = json_count(&array);
	if (n > HELLO_LABELS_MAX)
		return err_set(
		    e, EINVAL, "more than %d labels", HELLO_LABELS_MAX);
	if (n == 0)
		return 0;
	h->labels = calloc(n, sizeof *h->labels);
	if (h->labels == NULL)
		return err_set(e, ENOMEM, "out of memory");

	while (json_next_element(&w, &label)) {
		int r =
		    field_text(&label, HELLO_TEXT_MAX, &h->labels[h->nlabels]);
		if (r == -ENOMEM)
			return err_set(e, ENOMEM, "out of memory");
		if (r < 0)
			return err_set(e, EINVAL,
			    "a label must be a string of at most %d bytes",
			    HELLO_TEXT_MAX);
		h->nlabels++;
	}
	return 0;
}

static int
read_version(const struct json *object, struct hello *h, struct err *e)
{
	int64_t version;

	int r = read_number(object, "v", &version, e);
	if (r < 0)
		return r;
	if (version < 0 || version > 255)
		return err_set(e, EINVAL, "v must be from 0 to 255");
	h->version = (int)version;
	return 0;
}

static int
read_hello(const struct json *object, struct hello *h, struct err *e)
{
	int r = read_version(object, h, e);

	if (r == 0)
		r = read_text(object, "wid", &h->wid, e);
	if (r == 0)
		r = read_text(object, "hostname", &h->hostname, e);
	if (r == 0)
		r = read_text(object, "username", &h->username, e);
	if (r == 0)
		r = read_text(object, "pwdhash", &h->pwdhash, e);
	if (r == 0)
		r = read_number(object, "pid", &h->pid, e);
	if (r == 0)
		r = read_number(object, "rss_kb", &h->rss_kb, e);
	if (r == 0)
		r = read_labels(object, h, e);
	struct json names = field_get(object, "x");
	h->extensions = extension_read(&names);
	return r;
}

int
hello_parse(const char *text, size_t len, struct hello *h, struct err *e)
{
	struct hello read = { 0 };
	struct json object;

	int r = check_object(text, len, &object, e);
	if (r == 0)
		r = read_hello(&object, &read, e);
	if (r < 0) {
		hello_clear(&read);
		(void)err_wrap(e, "HELLO");
		return r;
	}
	/* An empty wid is no worker's. */
	if (read.wid != NULL && read.wid[0] == '\0') {
		free(read.wid);
		read.wid = NULL;
	}
	*h = read;
	return 0;
}

void
hello_clear(struct hello *h)
{
	free(h->wid);
	free(h->hostname);
	free(h->username);
	free(h->pwdhash);
	for (size_t i = 0; i < h->nlabels; i++)
		free(h->labels[i]);
	free(h->labels);
	*h = (struct hello){ 0 };
}

static int
put_proof(struct buf *out, const struct greeting *g, const char *password)
{
	char hex[HELLO_HASH_HEX + 1];

	if (g->rounds == 0 || password == NULL)
		return 0;
	int r = password_hash(password, g->salt, g->rounds, hex);
	return r < 0 ? r : field_put_text(out, "pwdhash", hex);
}

static int
put_hello(struct buf *out, const struct hello *h)
{
	int r = buf_printf(out, "HELLO {\"v\":%d,", HELLO_VERSION);

	if (r == 0 && h->wid != NULL)
		r = field_put_text(out, "wid", h->wid);
	if (r == 0 && h->hostname != NULL)
		r = field_put_text(out, "hostname", h->hostname);
	if (r == 0 && h->pid > 0)
		r = field_put_int(out, "pid", h->pid);
	if (r == 0 && h->nlabels > 0)
		r = field_put_list(
		    out, "labels", (const char *const *)h->labels, h->nlabels);
	if (r == 0 && h->username != NULL)
		r = field_put_text(out, "username", h->username);
	if (r == 0 && h->rss_kb > 0)
		r = field_put_int(out, "rss_kb", h->rss_kb);
	return r;
}

/* A stock server names none, and so hears of none. */
static int
put_extensions(struct buf *out, const struct greeting *g)
{
	if (g->extensions == 0)
		return 0;
	int r = buf_puts(out, "\"x\":");
	if (r == 0)
		r = extension_put(out, g->extensions);
	return r < 0 ? r : buf_putc(out, ',');
}

int
hello_put(struct buf *out, const struct hello *h, const struct greeting *g,
    const char *password)
{
	size_t before = buf_len(out);

	int r = put_hello(out, h);
	if (r == 0)
		r = put_proof(out, g, password);
	if (r == 0)
		r = put_extensions(out, g);
	return field_put_line_end(out, before, r);
}
