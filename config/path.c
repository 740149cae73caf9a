/*
 * path - the way to one value of a job: args.0.size, custom["a.b"].
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/path.h"

#include <stdlib.h>
#include <string.h>

static const char *const roots[] = {
	[PATH_ARGS] = "args",
	[PATH_CUSTOM] = "custom",
	[PATH_JID] = "jid",
	[PATH_JOBTYPE] = "jobtype",
	[PATH_QUEUE] = "queue",
	[PATH_ATTEMPT] = "attempt",
};

/* Names end before what the grammar needs, white space and controls. */
static size_t
name_length(const char *text)
{
	size_t n = 0;

	while (
	    (unsigned char)text[n] > ' ' && strchr(".[]{}?\"", text[n]) == NULL)
		n++;
	return n;
}

static int
parse_root(const char **at, struct path *p, struct err *e)
{
	size_t len = name_length(*at);

	for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
		if (strlen(roots[i]) != len || memcmp(roots[i], *at, len) != 0)
			continue;
		p->root = (enum path_root)i;
		*at += len;
		return 0;
	}
	return err_set(e, EINVAL,
	    "\"%.*s\" is unknown, expected args, custom, jid, jobtype, queue "
	    "or attempt (a brace is {{)",
	    (int)(len < 64 ? len : 64), *at);
}

/* Where the next step's name goes: behind the last one and a dot. */
static struct path_step *
next_step(struct path *p)
{
	struct path_step *s = &p->steps[p->nsteps];

	s->at = 0;
	s->len = 0;
	s->exact = false;
	if (p->nsteps > 0) {
		s->at = s[-1].at + s[-1].len;
		p->keys[s->at++] = '.';
	}
	return s;
}

static int
put_name(struct path *p, struct path_step *s, const char *bytes, size_t len,
    struct err *e)
{
	if (s->at + s->len + len > PATH_TEXT_MAX)
		return err_set(
		    e, EINVAL, "longer than %d bytes", PATH_TEXT_MAX);
	memcpy(p->keys + s->at + s->len, bytes, len);
	s->len += len;
	return 0;
}

/* ["name"] with \" and \\, or [3]; *at stands behind the '['. */
static int
bracket_step(const char **at, struct path *p, struct err *e)
{
	const char *c = *at;
	struct path_step *s = next_step(p);
	bool quoted = *c == '"';
	int r = 0;

	s->exact = true;
	if (quoted)
		c++;
	while (r == 0 && *c != '\0' && *c != (quoted ? '"' : ']')) {
		if (!quoted && (*c < '0' || *c > '9'))
			break;
		if (*c == '\\' && (c[1] == '"' || c[1] == '\\'))
			c++;
		r = put_name(p, s, c++, 1, e);
	}
	if (quoted && *c == '"')
		c++;
	*at = c;
	if (r < 0)
		return r;
	if (*c != ']' || (!quoted && s->len == 0))
		return err_set(e, EINVAL, "expected [\"name\"] or [number]");
	*at = c + 1;
	p->nsteps++;
	return 0;
}

static int
dot_step(const char **at, struct path *p, struct err *e)
{
	size_t len = name_length(*at);
	struct path_step *s = next_step(p);

	if (len == 0)
		return err_set(e, EINVAL,
		    "expected a name or a number after "
		    "the dot");
	int r = put_name(p, s, *at, len, e);
	*at += len;
	p->nsteps++;
	return r;
}

static int
parse_steps(const char **at, struct path *p, struct err *e)
{
	int r = 0;

	while (r == 0 && (**at == '[' || (**at == '.' && (*at)[1] != '.'))) {
		if (p->root != PATH_ARGS && p->root != PATH_CUSTOM)
			return err_set(
			    e, EINVAL, "%s has no parts", roots[p->root]);
		if (p->nsteps == PATH_STEPS_MAX)
			return err_set(
			    e, EINVAL, "more than %d steps", PATH_STEPS_MAX);
		bool bracket = *(*at)++ == '[';
		r = bracket ? bracket_step(at, p, e) : dot_step(at, p, e);
	}
	return r;
}

int
path_parse(const char *text, struct path *p, const char **end, struct err *e)
{
	char keys[PATH_TEXT_MAX + 2] = ""; /* a dot may follow the last name */
	struct path made = { .keys = keys };
	const char *at = text;

	int r = parse_root(&at, &made, e);
	if (r == 0)
		r = parse_steps(&at, &made, e);
	*end = at;
	if (r < 0)
		return r;

	made.text = strndup(text, (size_t)(at - text));
	made.keys = strdup(keys);
	if (made.text == NULL || made.keys == NULL) {
		path_clear(&made);
		return err_set(e, ENOMEM, "not enough memory");
	}
	*p = made;
	return 0;
}

void
path_clear(struct path *p)
{
	free(p->text);
	free(p->keys);
	p->text = NULL;
	p->keys = NULL;
}

/* The longest run of steps from i on that names a member; *next is after it. */
static struct json
find_member(
    const struct path *p, size_t i, const struct json *object, size_t *next)
{
	char key[PATH_TEXT_MAX + 1];
	const struct path_step *s = p->steps;
	struct json found = { 0 };
	size_t end = i + 1;

	while (!s[i].exact && end < p->nsteps && !s[end].exact)
		end++;
	for (; end > i && found.kind == JSON_NONE; end--) {
		size_t len = s[end - 1].at + s[end - 1].len - s[i].at;

		memcpy(key, p->keys + s[i].at, len);
		key[len] = '\0';
		found = json_get(object, key);
		*next = end;
	}
	return found;
}

static struct json
find_element(const struct path *p, size_t i, const struct json *array)
{
	const struct path_step *s = &p->steps[i];
	const char *digits = p->keys + s->at;
	size_t index = 0;

	/* Nine digits are more elements than a job can hold. */
	if (s->len == 0 || s->len > 9 || (s->len > 1 && digits[0] == '0'))
		return (struct json){ 0 };
	for (size_t k = 0; k < s->len; k++) {
		if (digits[k] < '0' || digits[k] > '9')
			return (struct json){ 0 };
		index = index * 10 + (size_t)(digits[k] - '0');
	}
	return json_at(array, index);
}

struct json
path_find(const struct path *p, const struct json *from)
{
	struct json v = *from;
	size_t i = 0;

	while (i < p->nsteps) {
		if (v.kind == JSON_OBJECT)
			v = find_member(p, i, &v, &i);
		else if (v.kind == JSON_ARRAY)
			v = find_element(p, i++, &v);
		else
			return (struct json){ 0 };
	}
	return v;
}
