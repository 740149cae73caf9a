/*
 * control_settings - two rows, and the place that systemd offers.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/control_settings.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_BYTES_MAX = 1024 * 1024 };

static const char socket_expected[] = "an absolute path, or off";

static void
decode_socket(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	char quoted[READER_QUOTED_MAX];
	char *text = reader_text(r, n, name, socket_expected);

	if (text == NULL)
		return;
	if (strlen(text) > CONTROL_SOCKET_MAX) {
		reader_complain(r, n->at,
		    "%s: %zu bytes, expected at most %d, since the name of a "
		    "socket is short",
		    name, strlen(text), CONTROL_SOCKET_MAX);
	} else if (strcmp(text, CONTROL_OFF) == 0 ||
	    (text[0] == '/' && text[strlen(text) - 1] != '/')) {
		field_set_text(to, text);
		return;
	} else {
		reader_complain(r, n->at, "%s: %s is neither, expected %s",
		    name, reader_quote(text, quoted), socket_expected);
	}
	free(text);
}

int
control_settings_group(const char *name, gid_t *gid)
{
	struct group entry, *found = NULL;
	int r = ERANGE;

	for (size_t size = 1024; r == ERANGE && size <= GROUP_BYTES_MAX;
	     size *= 4) {
		char *bytes = malloc(size);

		if (bytes == NULL)
			return -ENOMEM;
		r = getgrnam_r(name, &entry, bytes, size, &found);
		if (found != NULL)
			*gid = entry.gr_gid;
		free(bytes);
	}
	if (found != NULL)
		return 0;
	return r == 0 ? -ENOENT : -r;
}

static void
decode_group(struct reader *r, const struct node *n, const char *name, void *to)
{
	const char *expected = "the name of a group";
	char quoted[READER_QUOTED_MAX];
	char *text = reader_text(r, n, name, expected);
	gid_t gid;

	if (text == NULL)
		return;
	switch (control_settings_group(text, &gid)) {
	case 0:
		field_set_text(to, text);
		return;
	case -ENOENT:
		reader_complain(r, n->at,
		    "%s: there is no group %s, expected %s", name,
		    reader_quote(text, quoted), expected);
		break;
	default:
		reader_complain(r, n->at,
		    "%s: the system cannot say whether there is a group %s",
		    name, reader_quote(text, quoted));
		break;
	}
	free(text);
}

const struct field control_settings_fields[] = {
	{ .name = "socket",
	    .kind = FIELD_OTHER,
	    .decode = decode_socket,
	    .offset = offsetof(struct settings, control_socket),
	    .expected = socket_expected,
	    .help = "The socket where `faktotum status`, `tail`, `cancel`, "
		    "`quiet`, `resume` and `drain` find the supervisor. "
		    "Without it: `faktotum.sock` in `$RUNTIME_DIRECTORY` "
		    "where systemd gives one (`RuntimeDirectory=`), else "
		    "none. At most 90 bytes." },
	{ .name = "group",
	    .kind = FIELD_OTHER,
	    .decode = decode_group,
	    .offset = offsetof(struct settings, control_group),
	    .expected = "the name of a group",
	    .help = "Its members may give orders too. Without it only root "
		    "and the supervisor's own user may." },
	{ 0 },
};

void
control_settings_marks(const struct node *control, struct settings *s)
{
	const struct node *socket =
	    control != NULL ? node_get(control, "socket") : NULL;
	const struct node *group =
	    control != NULL ? node_get(control, "group") : NULL;

	if (socket != NULL)
		s->control_socket_at = socket->at;
	if (group != NULL)
		s->control_group_at = group->at;
}

bool
control_settings_runtime(
    const char *(*lookup)(const char *name), char out[CONTROL_SOCKET_MAX + 1])
{
	const char *dirs = lookup("RUNTIME_DIRECTORY");

	if (dirs == NULL || dirs[0] != '/')
		return false;
	int n = snprintf(out, CONTROL_SOCKET_MAX + 1, "%.*s/faktotum.sock",
	    (int)strcspn(dirs, ":"), dirs);
	return n > 0 && n <= CONTROL_SOCKET_MAX;
}

static void
read_control(
    struct reader *r, const struct node *root, struct settings *settings)
{
	const struct node *control = node_get(root, "control");

	struct field_given given = { 0 };

	if (control != NULL &&
	    reader_wants(r, control, NODE_MAPPING, "control", "a mapping"))
		field_read(r, control, "control.", control_settings_fields,
		    &given, settings);
}

bool
control_settings_find(const struct sources *src,
    const char *(*lookup)(const char *name), settings_tell *tell, void *ctx,
    char **path)
{
	struct settings *s = calloc(1, sizeof *s);
	char **names = calloc(src->nfiles + 1, sizeof *names);
	struct reader r = {
		.file = src->name, .files = names, .lookup = lookup
	};
	bool good = false;

	*path = NULL;
	if (s == NULL || names == NULL) {
		tell(ctx, "not enough memory");
		free(s);
		free(names);
		return false;
	}
	for (size_t i = 0; i < src->nfiles; i++)
		names[i] = src->files[i].name;
	struct node *root = sources_tree(src, &r);
	if (root != NULL)
		read_control(&r, root, s);
	good = reader_finish(&r, tell, ctx) == 0;
	document_free(root);
	if (good)
		*path = s->control_socket;
	else
		free(s->control_socket);
	free(s->control_group);
	free(s);
	free(names);
	return good;
}
