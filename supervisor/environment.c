/*
 * environment - a list of NAME=value, short enough to be searched in order.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/environment.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The entry of a name, or NULL. */
static char **
find(const struct environment *v, const char *name, size_t name_len)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->name_lens[i] == name_len &&
		    memcmp(v->entries[i], name, name_len) == 0)
			return &v->entries[i];
	return NULL;
}

/* Of a block, header included: what the C library keeps at hand for a thread. */
enum { BLOCK = 1024 };

/* An environment is made and freed at once, so its entries have no memory of
 * their own; one that is replaced stays where it is. */
struct environment_block {
	struct environment_block *next;
	size_t used, cap;
	char bytes[];
};

/* NULL when memory is short. */
static char *
take(struct environment *v, size_t len)
{
	struct environment_block *b = v->blocks;

	if (b == NULL || b->cap - b->used < len) {
		size_t cap = BLOCK - sizeof *b;

		if (cap < len)
			cap = len;
		b = malloc(sizeof *b + cap);
		if (b == NULL)
			return NULL;
		b->next = v->blocks;
		b->used = 0;
		b->cap = cap;
		v->blocks = b;
	}
	b->used += len;
	return b->bytes + b->used - len;
}

/* For one more and the NULL. */
static int
make_room(struct environment *v)
{
	if (v->count + 1 < v->cap)
		return 0;

	size_t cap = v->cap > 0 ? v->cap * 2 : 32;
	char **entries = realloc(v->entries, cap * sizeof *entries);
	if (entries != NULL)
		v->entries = entries;
	size_t *lens = realloc(v->name_lens, cap * sizeof *lens);
	if (lens != NULL)
		v->name_lens = lens;
	if (entries == NULL || lens == NULL)
		return -ENOMEM;
	v->cap = cap;
	return 0;
}

/* The entry lies in a block of v. */
static int
add(struct environment *v, char *entry, size_t name_len)
{
	if (make_room(v) < 0)
		return -ENOMEM;
	v->name_lens[v->count] = name_len;
	v->entries[v->count++] = entry;
	v->entries[v->count] = NULL;
	return 0;
}

int
environment_set(struct environment *v, const char *name, const char *value,
    size_t len, struct err *e)
{
	size_t name_len = strlen(name);

	if (name_len + 1 + len > TEMPLATE_ELEMENT_MAX)
		return err_set(e, EINVAL,
		    "env %s is longer than the %d bytes that a variable may "
		    "have",
		    name, TEMPLATE_ELEMENT_MAX);

	char *entry = take(v, name_len + 1 + len + 1);
	if (entry == NULL)
		return -ENOMEM;
	memcpy(entry, name, name_len);
	entry[name_len] = '=';
	memcpy(entry + name_len + 1, value, len);
	entry[name_len + 1 + len] = '\0';

	char **old = find(v, name, name_len);
	if (old == NULL)
		return add(v, entry, name_len);
	*old = entry;
	return 0;
}

int
environment_base(struct environment *v, const struct settings *settings,
    const char *(*lookup)(const char *name), struct err *e)
{
	const struct passwd *user = getpwuid(geteuid());
	const char *name = user != NULL ? user->pw_name : "nobody";
	const char *home = user != NULL ? user->pw_dir : "/";
	const char *shell = user != NULL && user->pw_shell[0] != '\0'
	    ? user->pw_shell
	    : "/bin/sh";
	const char *lang = lookup("LANG"), *zone = lookup("TZ");
	const struct {
		const char *name, *value;
	} base[] = {
		{ "PATH", settings->path },
		{ "HOME", home },
		{ "USER", name },
		{ "LOGNAME", name },
		{ "SHELL", shell },
		{ "LANG", lang != NULL && lang[0] != '\0' ? lang : "C.UTF-8" },
		{ "TZ", zone },
	};

	for (size_t i = 0; i < sizeof base / sizeof base[0]; i++) {
		if (base[i].value == NULL)
			continue;
		int r = environment_set(
		    v, base[i].name, base[i].value, strlen(base[i].value), e);
		if (r < 0) {
			environment_clear(v);
			return r;
		}
	}
	return 0;
}

int
environment_copy(struct environment *v, const struct environment *from)
{
	for (size_t i = 0; i < from->count; i++) {
		size_t size = strlen(from->entries[i]) + 1;
		char *entry = take(v, size);

		if (entry == NULL || add(v, entry, from->name_lens[i]) < 0) {
			environment_clear(v);
			return -ENOMEM;
		}
		memcpy(entry, from->entries[i], size);
	}
	return 0;
}

const char *
environment_get(const struct environment *v, const char *name)
{
	size_t len = strlen(name);
	char **entry = find(v, name, len);

	return entry != NULL ? *entry + len + 1 : NULL;
}

bool
environment_secret(const char *name, const char *(*lookup)(const char *name))
{
	static const char *const ours[] = { "FAKTORY_URL", "FAKTORY_PROVIDER",
		"FAKTORY_PASSWORD", "NOTIFY_SOCKET" };
	static const char *const families[] = { "WATCHDOG_", "LISTEN_" };
	const char *provider = lookup("FAKTORY_PROVIDER");

	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (strcmp(name, ours[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		if (strncmp(name, families[i], strlen(families[i])) == 0)
			return true;
	return provider != NULL && strcmp(name, provider) == 0;
}

void
environment_clear(struct environment *v)
{
	struct environment_block *b, *next;

	for (b = v->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	free(v->entries);
	free(v->name_lens);
	*v = (struct environment){ 0 };
}
