/*
 * held - the line by which a worker says which jobs it has: HELD {"jids":["…"]}
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/held.h"

#include "protocol/job.h"

int
held_read(const char *text, size_t len, struct held *h, struct err *e)
{
	char jid[JOB_JID_MAX];
	struct json_fault fault;
	struct json object, jids, one;
	size_t n = 0;

	if (json_check(text, len, &object, &fault) < 0)
		return err_set(e, EINVAL, "byte %zu: %s", fault.at, fault.why);
	jids = json_get(&object, "jids");
	if (jids.kind != JSON_ARRAY)
		return err_set(
		    e, EINVAL, "expected an object with an array of jids");
	struct json_walk w = json_walk(&jids);
	while (json_next_element(&w, &one)) {
		if (++n > HELD_JIDS_MAX)
			return err_set(
			    e, EINVAL, "more than %d jids", (int)HELD_JIDS_MAX);
		if (json_decode_string(&one, jid, sizeof jid) < 0)
			return err_set(e, EINVAL,
			    "jids: element %zu is no string of at most %d "
			    "bytes",
			    n, (int)JOB_JID_MAX);
	}
	h->at = json_walk(&jids);
	return 0;
}

ssize_t
held_next(struct held *h, char *jid)
{
	struct json one;

	return json_next_element(&h->at, &one)
	    ? json_decode_string(&one, jid, JOB_JID_MAX)
	    : -1;
}

int
held_put_begin(struct buf *out)
{
	return buf_puts(out, "HELD {\"jids\":[");
}

int
held_put_jid(struct buf *out, const char *jid, size_t len)
{
	const char *so_far = buf_front(out);
	int r = 0;

	if (so_far[buf_len(out) - 1] != '[')
		r = buf_puts(out, ",");
	return r < 0 ? r : json_put_string(out, jid, len);
}

int
held_put_end(struct buf *out)
{
	return buf_puts(out, "]}\r\n");
}
