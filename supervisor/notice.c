/*
 * notice - commands put one behind the other, and taken off one by one.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/notice.h"

#include <string.h>

static int
put_pushes(struct buf *out, const struct notice *n)
{
	if (n->failure != NULL || n->pushes_len == 0)
		return 0;
	int r = buf_puts(out, "PUSHB [");
	if (r == 0)
		r = buf_append(out, n->pushes, n->pushes_len);
	return r < 0 ? r : buf_puts(out, "]\r\n");
}

int
notice_put(struct buf *out, const struct notice *n)
{
	size_t before = buf_len(out);
	int r = put_pushes(out, n);

	if (r == 0 && n->failure == NULL)
		r = ack_put(out, n->jid, n->jid_len);
	else if (r == 0)
		r = fail_put(out, n->jid, n->jid_len, n->failure);
	if (r == 0 && n->failure != NULL && n->bury)
		r = bury_put(out, n->jid, n->jid_len);
	if (r < 0)
		buf_cut(out, before);
	return r;
}

static const struct {
	const char *begins;
	const char *name;
} verbs[] = {
	[NOTICE_ACK] = { "ACK ", "ACK" },
	[NOTICE_FAIL] = { "FAIL ", "FAIL" },
	[NOTICE_PUSHB] = { "PUSHB ", "the PUSHB of its follow-up jobs" },
	[NOTICE_BURIAL] = { "MUTATE ", "its move to the dead" },
	[NOTICE_UNKNOWN] = { "", "its outcome" },
};

enum notice_verb
notice_verb(const char *lines, size_t len)
{
	enum notice_verb v = NOTICE_ACK;

	while (len < strlen(verbs[v].begins) ||
	    memcmp(lines, verbs[v].begins, strlen(verbs[v].begins)) != 0)
		v++;
	return v;
}

const char *
notice_verb_name(enum notice_verb verb)
{
	return verbs[verb].name;
}

/* JSON has no bare line ends in its strings, and ours none between values. */
size_t
notice_first(const char *lines, size_t len)
{
	const char *end = memchr(lines, '\n', len);

	return end == NULL ? len : (size_t)(end - lines) + 1;
}
