/*
 * A courier takes parcels at once and delivers them in order; a place that
 * takes nothing costs what does not fit and no time; the end has a limit.
 * Run under the thread sanitizer too.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/courier.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

/* The place, and a door that the test opens and shuts. */
struct place {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open;
	bool hangs; /* a delivery does not come back while shut */
	bool hanging;
	size_t delivered;
	size_t out_of_order;
	size_t emptied;
};

static bool
deliver(void *ctx, const char *bytes, size_t len)
{
	struct place *p = ctx;
	size_t number;

	assert_int_equal(len, sizeof number);
	memcpy(&number, bytes, len);
	pthread_mutex_lock(&p->lock);
	while (p->hangs && !p->open) {
		p->hanging = true;
		pthread_cond_broadcast(&p->changed);
		pthread_cond_wait(&p->changed, &p->lock);
	}
	bool taken = p->open;
	if (taken) {
		p->out_of_order += number != p->delivered;
		p->delivered++;
	}
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	return taken;
}

static void
on_delivered(void *ctx, size_t left)
{
	struct place *p = ctx;

	pthread_mutex_lock(&p->lock);
	p->emptied += left == 0;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static const struct courier_hooks hooks = { deliver, on_delivered };

static struct place *
new_place(bool open)
{
	struct place *p = calloc(1, sizeof *p);

	assert_non_null(p);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->open = open;
	return p;
}

static void
free_place(struct place *p)
{
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static void
set_open(struct place *p, bool open)
{
	pthread_mutex_lock(&p->lock);
	p->open = open;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static bool
put(struct courier *c, size_t number)
{
	return courier_take(c, (const char *)&number, sizeof number, 0);
}

static void
parcels_arrive_in_order_and_the_end_waits_for_them(void **state)
{
	struct place *p = new_place(true);
	struct courier *c = courier_new(1 << 20, &hooks, p);

	(void)state;
	assert_non_null(c);
	for (size_t i = 0; i < 2000; i++)
		assert_true(put(c, i));
	assert_true(courier_close(c, 60 * CLOCK_NS_PER_S));
	assert_int_equal(p->delivered, 2000);
	assert_int_equal(p->out_of_order, 0);
	assert_true(p->emptied > 0);
	free_place(p);
}

/* What was refused is gone; what was taken comes when the place goes on. */
static void
a_full_bag_refuses_and_a_place_that_goes_on_gets_the_rest(void **state)
{
	struct place *p = new_place(false);
	struct courier *c = courier_new(1000, &hooks, p);
	size_t taken = 0;

	(void)state;
	while (put(c, taken))
		taken++;
	assert_true(taken > 1 && taken < 1000 / sizeof(size_t));
	assert_false(put(c, taken));
	set_open(p, true);
	assert_int_equal(courier_hold(c, 60 * CLOCK_NS_PER_S), 0);
	courier_go_on(c);
	assert_true(put(c, taken));
	assert_true(courier_close(c, 60 * CLOCK_NS_PER_S));
	assert_int_equal(p->delivered, taken + 1);
	assert_int_equal(p->out_of_order, 0);
	free_place(p);
}

static void
spare_room_is_kept_for_those_who_need_it(void **state)
{
	struct place *p = new_place(false);
	struct courier *c = courier_new(1000, &hooks, p);
	size_t n = 0;

	(void)state;
	while (courier_take(c, (const char *)&n, sizeof n, 500))
		n++;
	assert_true(n > 1);
	assert_true(put(c, n));
	assert_false(courier_take(c, (const char *)&n, sizeof n, 500));
	assert_true(courier_close(c, 0));
	free_place(p);
}

/* Nothing is delivered while it is held, and everything afterwards. */
static void
a_held_courier_tells_what_is_left_and_goes_on(void **state)
{
	struct place *p = new_place(false);
	struct courier *c = courier_new(1 << 20, &hooks, p);

	(void)state;
	for (size_t i = 0; i < 10; i++)
		assert_true(put(c, i));
	assert_int_equal(courier_hold(c, CLOCK_NS_PER_MS), 10);
	set_open(p, true);
	for (size_t i = 10; i < 20; i++)
		assert_true(put(c, i));
	assert_int_equal(courier_hold(c, CLOCK_NS_PER_MS), 20);
	courier_go_on(c);
	assert_true(courier_close(c, 60 * CLOCK_NS_PER_S));
	assert_int_equal(p->delivered, 20);
	free_place(p);
}

static void
a_shut_place_does_not_keep_the_end_from_coming(void **state)
{
	struct place *p = new_place(false);
	struct courier *c = courier_new(1 << 20, &hooks, p);

	(void)state;
	for (size_t i = 0; i < 10; i++)
		assert_true(put(c, i));
	assert_true(courier_close(c, CLOCK_NS_PER_MS));
	assert_int_equal(p->delivered, 0);
	free_place(p);
}

/* A write to a dead disk never comes back: it must not hold us. */
static void
a_delivery_that_hangs_is_left_behind(void **state)
{
	/* Its thread uses it to the end, which nobody waits for. */
	static struct place place = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.hangs = true };
	struct place *p = &place;
	struct courier *c = courier_new(1 << 20, &hooks, p);

	(void)state;
	assert_true(put(c, 0));
	pthread_mutex_lock(&p->lock);
	while (!p->hanging)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
	assert_true(put(c, 1));
	assert_false(courier_close(c, CLOCK_NS_PER_MS));

	/* Its thread is let go, so that nothing is left of the test. */
	set_open(p, true);
	pthread_mutex_lock(&p->lock);
	while (p->delivered == 0)
		pthread_cond_wait(&p->changed, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

struct sender {
	pthread_t thread;
	struct courier *c;
	size_t taken;
};

static void *
send_many(void *arg)
{
	struct sender *s = arg;

	for (size_t i = 0; i < 2000; i++)
		s->taken += put(s->c, i);
	return NULL;
}

/* Threads log too: each parcel is delivered once or refused. */
static void
many_threads_may_send_at_once(void **state)
{
	struct place *p = new_place(true);
	struct courier *c = courier_new(4096, &hooks, p);
	struct sender senders[4];
	size_t taken = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		senders[i] = (struct sender){ .c = c };
		assert_int_equal(pthread_create(&senders[i].thread, NULL,
				     send_many, &senders[i]),
		    0);
	}
	for (size_t i = 0; i < 4; i++) {
		pthread_join(senders[i].thread, NULL);
		taken += senders[i].taken;
	}
	assert_true(courier_close(c, 60 * CLOCK_NS_PER_S));
	assert_int_equal(p->delivered, taken);
	assert_true(taken > 0);
	free_place(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    parcels_arrive_in_order_and_the_end_waits_for_them),
		cmocka_unit_test(
		    a_full_bag_refuses_and_a_place_that_goes_on_gets_the_rest),
		cmocka_unit_test(spare_room_is_kept_for_those_who_need_it),
		cmocka_unit_test(a_held_courier_tells_what_is_left_and_goes_on),
		cmocka_unit_test(
		    a_shut_place_does_not_keep_the_end_from_coming),
		cmocka_unit_test(a_delivery_that_hangs_is_left_behind),
		cmocka_unit_test(many_threads_may_send_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
