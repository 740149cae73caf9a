/*
 * What was put is got back, in its order and by its kind; anything else fails
 * once and for all, and nothing is read beyond the end.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/state.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct buf *
sealed(void (*fill)(struct state_writer *w))
{
	struct state_writer w;
	struct buf *out = buf_new(4096);

	assert_int_equal(state_writer_init(&w, 4096), 0);
	fill(&w);
	assert_int_equal(state_seal(&w, 7, out), 0);
	state_writer_clear(&w);
	return out;
}

static void
fill_all(struct state_writer *w)
{
	state_put_int(w, INT64_MIN);
	state_put_int(w, -1);
	state_put_bytes(w, "a\0b", 3);
	state_put_bytes(w, NULL, 0);
	state_put_text(w, "text");
	state_put_text(w, NULL);
	state_put_fd(w, -1);
}

static void
values_come_back_in_their_order(void **state)
{
	struct buf *b = sealed(fill_all);
	struct state_reader r;
	size_t len;

	(void)state;
	assert_int_equal(state_open(&r, buf_front(b), buf_len(b), 7), 0);
	assert_true(state_get_int(&r) == INT64_MIN);
	assert_int_equal(state_get_within(&r, -1, 5), -1);
	assert_memory_equal(state_get_bytes(&r, &len), "a\0b", 3);
	assert_int_equal(len, 3);
	assert_non_null(state_get_bytes(&r, &len));
	assert_int_equal(len, 0);
	char *text = state_get_text(&r);
	assert_string_equal(text, "text");
	free(text);
	assert_null(state_get_text(&r));
	assert_int_equal(state_get_fd(&r), -1);
	assert_false(r.failed);
	assert_int_equal(r.left, 0);
	assert_int_equal(state_get_int(&r), 0);
	assert_true(r.failed);
	buf_free(b);
}

static void
a_wrong_kind_or_range_fails_for_good(void **state)
{
	struct buf *b = sealed(fill_all);
	struct state_reader r;
	size_t len;

	(void)state;
	assert_int_equal(state_open(&r, buf_front(b), buf_len(b), 7), 0);
	assert_null(state_get_bytes(&r, &len));
	assert_true(r.failed);
	assert_int_equal(state_get_int(&r), 0);
	assert_int_equal(state_open(&r, buf_front(b), buf_len(b), 7), 0);
	assert_int_equal(state_get_within(&r, 3, 5), 3);
	assert_true(r.failed);
	buf_free(b);
}

static void
a_changed_or_cut_state_does_not_open(void **state)
{
	struct buf *b = sealed(fill_all);
	size_t len = buf_len(b);
	char *bytes = malloc(len);
	struct state_reader r;

	(void)state;
	memcpy(bytes, buf_front(b), len);
	assert_int_equal(state_open(&r, bytes, len, 8), -EINVAL);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(state_open(&r, bytes, cut, 7), -EINVAL);
	for (size_t i = 0; i < len; i++) {
		bytes[i] = (char)(bytes[i] ^ 0x40);
		assert_int_equal(state_open(&r, bytes, len, 7), -EINVAL);
		bytes[i] = (char)(bytes[i] ^ 0x40);
	}
	free(bytes);
	buf_free(b);
}

static int the_fd;

static void
fill_fd(struct state_writer *w)
{
	state_put_fd(w, the_fd);
	assert_int_equal(w->nfds, 1);
	assert_int_equal(w->fds[0], the_fd);
}

static void
a_descriptor_must_be_open_and_becomes_close_on_exec(void **state)
{
	struct state_reader r;

	(void)state;
	the_fd = open("/dev/null", O_RDONLY);
	assert_true(the_fd > 2);
	struct buf *b = sealed(fill_fd);
	assert_int_equal(state_open(&r, buf_front(b), buf_len(b), 7), 0);
	assert_int_equal(state_get_fd(&r), the_fd);
	assert_int_equal(fcntl(the_fd, F_GETFD), FD_CLOEXEC);
	close(the_fd);
	assert_int_equal(state_open(&r, buf_front(b), buf_len(b), 7), 0);
	assert_int_equal(state_get_fd(&r), -1);
	assert_true(r.failed);
	buf_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_back_in_their_order),
		cmocka_unit_test(a_wrong_kind_or_range_fails_for_good),
		cmocka_unit_test(a_changed_or_cut_state_does_not_open),
		cmocka_unit_test(
		    a_descriptor_must_be_open_and_becomes_close_on_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
