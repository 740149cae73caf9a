/*
 * scratch - mkdir, rmdir, and rm(1) for what programs leave behind.
 *
 * rm walks with openat(2) and never follows a link, so a program that is
 * still alive cannot lead it astray; and a directory with a million files
 * costs the loop nothing.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/scratch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "handlers/run.h"
#include "supervisor/pristine.h"

enum {
	KEPT_MAX = 64, /* directories for those to come */
	AT_ONCE = 64,  /* directories for one rm */
	CLOSE_MS = 5000,
};

static const char rm[] = "/bin/rm";
static char rm_name[] = "rm", rm_flags[] = "-rf", rm_end[] = "--";
static char *const no_env[] = { NULL };

struct leftover {
	struct leftover *next;
	char *path;
};

struct place {
	char *path; /* owned */
	struct pristine_mark mark;
};

struct given {
	unsigned long long number; /* of its name */
	struct pristine_mark mark;
};

struct scratch {
	struct ev_loop *loop;
	struct spawner *spawner;
	char *root; /* owned */
	unsigned long long made;
	struct place kept[KEPT_MAX]; /* pristine, for those to come */
	size_t nkept;
	struct given given[KEPT_MAX]; /* in use, and marked */
	size_t ngiven;

	struct leftover *first; /* to be removed; owned */
	struct leftover **last;
	struct run *run; /* the rm at work, or NULL */
	char **argv;     /* its arguments; the paths are owned */
	struct run_request request;
	char said[256]; /* its last words */
};

struct scratch *
scratch_open(struct ev_loop *loop, struct spawner *spawner, const char *tmpdir,
    struct err *e)
{
	struct scratch *s = calloc(1, sizeof *s);

	if (s == NULL || asprintf(&s->root, "%s/faktotum-XXXXXX", tmpdir) < 0) {
		free(s);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	s->loop = loop;
	s->spawner = spawner;
	s->last = &s->first;
	if (mkdtemp(s->root) == NULL) {
		err_set(e, errno, "make a directory in %s: %s", tmpdir,
		    strerror(errno));
		free(s->root);
		free(s);
		return NULL;
	}
	/* Programs of other users must find the way to their own. */
	if (geteuid() == 0)
		(void)chmod(s->root, 0711);
	return s;
}

static unsigned long long
number_of(const char *path)
{
	return strtoull(strrchr(path, '/') + 1, NULL, 10);
}

static void
note_given(struct scratch *s, const struct place *p)
{
	if (s->ngiven < KEPT_MAX && pristine_shows(&p->mark))
		s->given[s->ngiven++] =
		    (struct given){ number_of(p->path), p->mark };
}

/* Forgets that it was given out. False: it was not marked. */
static bool
take_given(struct scratch *s, const char *path, struct pristine_mark *mark)
{
	unsigned long long number = number_of(path);

	for (size_t i = 0; i < s->ngiven; i++) {
		if (s->given[i].number != number)
			continue;
		*mark = s->given[i].mark;
		s->given[i] = s->given[--s->ngiven];
		return true;
	}
	return false;
}

char *
scratch_make(struct scratch *s, struct err *e)
{
	char *path;

	if (s->nkept > 0) {
		struct place *p = &s->kept[--s->nkept];

		note_given(s, p);
		return p->path;
	}
	if (asprintf(&path, "%s/%llu", s->root, ++s->made) < 0) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	if (mkdir(path, 0700) < 0) {
		err_set(e, errno, "mkdir %s: %s", path, strerror(errno));
		free(path);
		return NULL;
	}
	return path;
}

static void remove_some(struct scratch *s);

static void
forget_arguments(struct scratch *s)
{
	if (s->argv == NULL)
		return;
	for (size_t i = 3; s->argv[i] != NULL; i++)
		free(s->argv[i]);
	free(s->argv);
	s->argv = NULL;
}

static void
on_line(
    void *ctx, enum run_stream stream, const char *bytes, size_t len, bool more)
{
	struct scratch *s = ctx;

	(void)stream;
	(void)more;
	snprintf(s->said, sizeof s->said, "%.*s",
	    (int)(len < sizeof s->said ? len : sizeof s->said), bytes);
}

static void
on_done(void *ctx, const struct run_facts *facts)
{
	struct scratch *s = ctx;

	if (facts->reason != RUN_CANCELLED &&
	    (!facts->started || facts->status != 0))
		log_say(LOG_LEVEL_WARNING, "tmpdir",
		    "could not remove all that programs left in %s: %s",
		    s->root,
		    facts->started ? s->said : strerror(facts->why.errnum));
	s->run = NULL;
	forget_arguments(s);
	remove_some(s);
}

static const struct run_hooks rm_hooks = { .line = on_line, .done = on_done };

/* Starts an rm for what waits, unless there is one at work. */
static void
remove_some(struct scratch *s)
{
	static char *const fixed[] = { rm_name, rm_flags, rm_end };
	size_t n = 0;

	if (s->run != NULL || s->first == NULL)
		return;
	s->argv = calloc(3 + AT_ONCE + 1, sizeof *s->argv);
	if (s->argv == NULL)
		return; /* they wait for the next one */
	memcpy(s->argv, fixed, sizeof fixed);
	while (n < AT_ONCE && s->first != NULL) {
		struct leftover *l = s->first;

		s->argv[3 + n++] = l->path;
		s->first = l->next;
		free(l);
	}
	if (s->first == NULL)
		s->last = &s->first;

	s->said[0] = '\0';
	s->request = (struct run_request){
		.spawn = { .path = rm,
		    .argv = s->argv,
		    .env = no_env,
		    .workdir = "/",
		    .mask = 077 },
		.deadline = clock_mono() + 3600 * CLOCK_NS_PER_S,
	};
	s->run = run_start(s->loop, s->spawner, &s->request, &rm_hooks, s);
	if (s->run == NULL)
		forget_arguments(s);
}

/* Takes path. */
static void
remove_later(struct scratch *s, char *path)
{
	struct leftover *l = calloc(1, sizeof *l);

	if (l == NULL) {
		free(path);
		return; /* it goes with the root, at the end */
	}
	l->path = path;
	*s->last = l;
	s->last = &l->next;
	remove_some(s);
}

static void
get_rid(struct scratch *s, char *path)
{
	if (rmdir(path) == 0 || errno == ENOENT)
		free(path);
	else
		remove_later(s, path);
}

void
scratch_remove(struct scratch *s, char *path)
{
	struct pristine_mark mark;
	bool marked = take_given(s, path, &mark);

	if (s->nkept < KEPT_MAX &&
	    ((marked && pristine_untouched(path, &mark)) ||
		pristine(path, &mark)))
		s->kept[s->nkept++] = (struct place){ path, mark };
	else
		get_rid(s, path);
}

void
scratch_retire(struct scratch *s, char *path)
{
	struct pristine_mark mark;

	(void)take_given(s, path, &mark);
	get_rid(s, path);
}

/* Waits for rm -rf of everything. */
static void
remove_root(struct scratch *s)
{
	char *argv[] = { rm_name, rm_flags, rm_end, s->root, NULL };
	const struct spawn_request req = { .path = rm,
		.argv = argv,
		.env = no_env,
		.workdir = "/",
		.mask = 077 };
	struct spawn_child child;
	struct spawn_failure why;

	if (rmdir(s->root) == 0 || spawn(&req, &child, &why) < 0)
		return;
	struct pollfd ended = { .fd = child.pidfd, .events = POLLIN };
	if (poll(&ended, 1, CLOSE_MS) <= 0)
		kill(child.pid, SIGKILL);
	while (waitpid(child.pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(child.pidfd);
	close(child.out);
	close(child.err);
}

void
scratch_close(struct scratch *s)
{
	if (s == NULL)
		return;
	if (s->run != NULL)
		run_stop(s->run, RUN_CANCELLED, 0);
	while (s->run != NULL) {
		while (s->first != NULL) {
			struct leftover *l = s->first;

			s->first = l->next;
			free(l->path);
			free(l);
		}
		ev_run(s->loop, EVRUN_ONCE);
	}
	while (s->nkept > 0) {
		(void)rmdir(s->kept[--s->nkept].path);
		free(s->kept[s->nkept].path);
	}
	remove_root(s);
	free(s->root);
	free(s);
}

/* What waits to be removed goes with the root, at the end. */
void
scratch_save(const struct scratch *s, struct state_writer *w)
{
	state_put_text(w, s->root);
	state_put_int(w, (int64_t)s->made);
}

struct scratch *
scratch_load(struct ev_loop *loop, struct spawner *spawner,
    struct state_reader *r, struct err *e)
{
	struct scratch *s = calloc(1, sizeof *s);

	if (s == NULL) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	s->loop = loop;
	s->spawner = spawner;
	s->last = &s->first;
	s->root = state_get_text(r);
	s->made = (unsigned long long)state_get_within(r, 0, INT64_MAX);
	if (s->root == NULL) {
		err_set(e, EINVAL, "no private directories");
		free(s);
		return NULL;
	}
	return s;
}
