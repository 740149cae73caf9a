/*
 * fuzz_control_request - what is read means one request and no other: written
 * down again it reads the same; a jid is text within its limit and stands
 * with the requests that take one; what is refused says why.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "supervisor/control_request.h"
#include "tests/fuzz/must.h"

static void
reads_again(const struct control_request *q)
{
	struct buf *line = buf_new((size_t)1 << 20);
	struct control_request again;
	struct err e;

	must(line != NULL);
	must(buf_printf(
		 line, "{\"request\":\"%s\"", control_verb_name(q->verb)) == 0);
	if (q->jid[0] != '\0') {
		must(buf_puts(line, ",\"jid\":") == 0);
		must(json_put_string(line, q->jid, strlen(q->jid)) == 0);
	}
	if (q->wait)
		must(buf_puts(line, ",\"wait\":true") == 0);
	must(buf_putc(line, '}') == 0);
	must(control_request_read(buf_front(line), buf_len(line), &again, &e) ==
	    0);
	must(again.verb == q->verb && again.wait == q->wait);
	must(strcmp(again.jid, q->jid) == 0);
	buf_free(line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_request q;
	struct err e = { 0 };

	if (control_request_read((const char *)data, size, &q, &e) < 0) {
		must(e.code != 0 && e.text[0] != '\0');
		return 0;
	}
	must(size <= CONTROL_LINE_MAX);
	must(q.verb >= 0 && q.verb < CONTROL_VERBS);
	must(strlen(q.jid) <= JOB_JID_MAX);
	must(q.verb != CONTROL_CANCEL || q.jid[0] != '\0');
	must(q.jid[0] == '\0' || q.verb == CONTROL_CANCEL ||
	    q.verb == CONTROL_TAIL);
	must(!q.wait || q.verb == CONTROL_DRAIN);
	reads_again(&q);
	return 0;
}
