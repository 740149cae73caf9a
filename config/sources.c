/*
 * sources - directories listed, files read, trees joined.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/sources.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The length of ".yaml" or ".yml" at the end of a name; 0: neither. */
static size_t
ending(const char *name)
{
	static const char *const endings[] = { ".yaml", ".yml" };
	size_t len = strlen(name);

	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(endings[i]);

		if (len > n && strcmp(name + len - n, endings[i]) == 0)
			return n;
	}
	return 0;
}

static int
skip(struct sources *s, char *path, struct err *e)
{
	char **more = reallocarray(s->skipped, s->nskipped + 1, sizeof *more);

	if (more == NULL) {
		free(path);
		return err_set(e, ENOMEM, "not enough memory");
	}
	s->skipped = more;
	s->skipped[s->nskipped++] = path;
	return 0;
}

/* Takes path. */
static int
add_file(struct sources *s, char *path, struct err *e)
{
	struct source *more =
	    reallocarray(s->files, s->nfiles + 1, sizeof *more);
	size_t sum = 0;

	if (more == NULL) {
		free(path);
		return err_set(e, ENOMEM, "not enough memory");
	}
	s->files = more;
	struct source *file = &s->files[s->nfiles];
	*file = (struct source){ .name = path };
	s->nfiles++;
	if (s->nfiles > SOURCES_MAX)
		return err_set(
		    e, E2BIG, "%s: more than %d files", s->name, SOURCES_MAX);
	file->text = document_load(path, &file->len, e);
	if (file->text == NULL)
		return -e->code;
	for (size_t i = 0; i < s->nfiles; i++)
		sum += s->files[i].len;
	if (sum > SOURCES_SIZE_MAX)
		return err_set(e, EFBIG,
		    "%s: its files are larger than %d bytes together", s->name,
		    SOURCES_SIZE_MAX);
	return 0;
}

static int
add_entry(struct sources *s, const char *dir, const char *name, struct err *e)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return err_set(e, ENOMEM, "not enough memory");
	if (name[0] == '.' || ending(name) == 0)
		return skip(s, path, e);
	return add_file(s, path, e);
}

static int
not_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 &&
	    strcmp(entry->d_name, "..") != 0;
}

/* By bytes, so that the order is the same under every locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
add_directory(struct sources *s, const char *dir, struct err *e)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, not_dots, by_name), r = 0;

	if (n < 0)
		return err_set(e, errno, "%s: %s", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = add_entry(s, dir, entries[i]->d_name, e);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* FILE.d beside FILE.yaml, when there is one. */
static int
add_beside(struct sources *s, const char *path, struct err *e)
{
	size_t stem = strlen(path) - ending(path);
	struct stat st;
	char *dir;
	int r = 0;

	if (asprintf(&dir, "%.*s.d", (int)stem, path) < 0)
		return err_set(e, ENOMEM, "not enough memory");
	if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
		r = add_directory(s, dir, e);
	else if (errno != ENOENT && errno != ENOTDIR)
		r = err_set(e, errno, "%s: %s", dir, strerror(errno));
	free(dir);
	return r;
}

static int
load(struct sources *s, const char *path, struct err *e)
{
	struct stat st;
	char *copy = NULL;

	s->name = strdup(path);
	if (s->name == NULL)
		return err_set(e, ENOMEM, "not enough memory");
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		int r = add_directory(s, path, e);

		if (r == 0 && s->nfiles == 0)
			r = err_set(e, ENOENT,
			    "%s: no file in it, expected at least one *.yaml",
			    path);
		return r;
	}
	copy = strdup(path);
	if (copy == NULL)
		return err_set(e, ENOMEM, "not enough memory");
	int r = add_file(s, copy, e);
	return r == 0 ? add_beside(s, path, e) : r;
}

int
sources_load(struct sources *s, const char *path, struct err *e)
{
	*s = (struct sources){ 0 };
	int r = load(s, path, e);

	if (r < 0)
		sources_clear(s);
	return r;
}

void
sources_clear(struct sources *s)
{
	for (size_t i = 0; s->files != NULL && i < s->nfiles; i++) {
		free(s->files[i].name);
		/* It may hold the password. */
		if (s->files[i].text != NULL)
			explicit_bzero(s->files[i].text, s->files[i].len);
		free(s->files[i].text);
	}
	for (size_t i = 0; i < s->nskipped; i++)
		free(s->skipped[i]);
	free(s->files);
	free(s->skipped);
	free(s->name);
	*s = (struct sources){ 0 };
}

/* Depth is limited by document_read(). */
static void
number(struct node *n, unsigned file)
{
	n->at.file = file;
	for (size_t i = 0; i < n->count; i++) {
		number(n->items[i], file);
		if (n->kind == NODE_MAPPING)
			number(n->keys[i], file);
	}
}

/* Moves everything below one mapping to the end of another. */
static int
move_all(struct node *to, struct node *from)
{
	size_t n = to->count + from->count;
	struct node **keys, **items;

	if (from->count == 0)
		return 0;
	keys = reallocarray(to->keys, n, sizeof *keys);
	if (keys != NULL)
		to->keys = keys;
	items = reallocarray(to->items, n, sizeof *items);
	if (items != NULL)
		to->items = items;
	if (keys == NULL || items == NULL)
		return -ENOMEM;
	memcpy(keys + to->count, from->keys, from->count * sizeof *keys);
	memcpy(items + to->count, from->items, from->count * sizeof *items);
	to->count = n;
	from->count = 0;
	return 0;
}

/* The jobs of a later file go below those of the earlier ones. */
static int
join(struct node *root, struct node *next)
{
	struct node *ours = node_get(root, "jobs");
	struct node *theirs = node_get(next, "jobs");

	if (ours != NULL && theirs != NULL && ours->kind == NODE_MAPPING &&
	    theirs->kind == NODE_MAPPING) {
		if (move_all(ours, theirs) < 0)
			return -ENOMEM;
		for (size_t i = 0; i < next->count; i++) {
			if (next->items[i] != theirs)
				continue;
			document_free(next->keys[i]);
			document_free(theirs);
			next->count--;
			next->keys[i] = next->keys[next->count];
			next->items[i] = next->items[next->count];
			break;
		}
	}
	return move_all(root, next);
}

static struct node *
read_one(const struct sources *s, size_t i, struct reader *r)
{
	const struct source *file = &s->files[i];
	struct err e = { 0 };
	struct node *n = document_read(file->name, file->text, file->len, &e);

	if (n == NULL) {
		reader_note(r, (unsigned)i, e.text);
		return NULL;
	}
	number(n, (unsigned)i);
	if (reader_wants(r, n, NODE_MAPPING, "the file", "a mapping"))
		return n;
	document_free(n);
	return NULL;
}

struct node *
sources_tree(const struct sources *s, struct reader *r)
{
	struct node *root = NULL;
	size_t before = r->count;

	for (size_t i = 0; i < s->nfiles; i++) {
		struct node *n = read_one(s, i, r);

		if (root == NULL) {
			root = n;
			continue;
		}
		if (n != NULL && join(root, n) < 0)
			reader_no_memory(r);
		document_free(n);
	}
	if (r->count == before)
		return root;
	document_free(root);
	return NULL;
}

void
sources_save(const struct sources *s, struct state_writer *w)
{
	state_put_text(w, s->name);
	state_put_int(w, (int64_t)s->nfiles);
	for (size_t i = 0; i < s->nfiles; i++) {
		state_put_text(w, s->files[i].name);
		state_put_bytes(w, s->files[i].text, s->files[i].len);
	}
}

int
sources_load_state(struct sources *s, struct state_reader *r)
{
	*s = (struct sources){ .name = state_get_text(r) };
	size_t n = (size_t)state_get_within(r, 1, SOURCES_MAX);

	s->files = calloc(n, sizeof *s->files);
	for (; s->files != NULL && !r->failed && s->nfiles < n; s->nfiles++) {
		struct source *f = &s->files[s->nfiles];

		f->name = state_get_text(r);
		const char *text = state_get_bytes(r, &f->len);
		f->text = text != NULL ? malloc(f->len + 1) : NULL;
		if (f->text == NULL) {
			f->len = 0;
			r->failed = true;
		} else {
			memcpy(f->text, text, f->len);
		}
	}
	if (s->name != NULL && s->nfiles == n && !r->failed)
		return 0;
	sources_clear(s);
	return -EINVAL;
}
