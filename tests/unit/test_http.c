/* What the HTTP floor decides without a network: Accept, and how much a client may ask. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/exchange_own.h"
#include "http/limits.h"
#include "http/watch.h"

static void accept_is_read_as_rfc_9110_says(void **state)
{
	static const struct {
		const char *accept;
		bool allowed;
	} cases[] = {
		{ NULL, true },
		{ "", true },
		{ "*/*", true },
		{ "application/json", true },
		{ "APPLICATION/JSON", true },
		{ "application/*;q=0.1", true },
		{ "text/html, application/json;q=0.9", true },
		{ "text/html", false },
		{ "application/xml, text/*", false },
		{ "application/json;q=0", false },
		{ "application/json; q=0.000, */*", false },
		{ "*/*;q=0, application/json", true },
		{ "application/jsonp", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (accept_allows(cases[i].accept, "application/json") != cases[i].allowed)
			fprintf(stderr, "Accept: %s\n", cases[i].accept);
		assert_int_equal(accept_allows(cases[i].accept, "application/json"),
		                 cases[i].allowed);
	}
}

/* The other end of a connection that is watched. */
struct end {
	int fds[2];
	struct watched *watched;
};

static struct end end_open(struct watch *watch)
{
	struct end e;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, e.fds), 0);
	e.watched = watch_open(watch, e.fds[0]);
	assert_non_null(e.watched);
	return e;
}

static void end_close(struct watch *watch, struct end *e)
{
	watch_close(watch, e->watched);
	close(e->fds[0]);
	close(e->fds[1]);
}

static void wait_until_it_is_shut(const struct end *e)
{
	char byte;

	assert_int_equal(recv(e->fds[1], &byte, 1, 0), 0);
}

static bool is_open(const struct end *e)
{
	char byte;

	return recv(e->fds[1], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void who_waits_for_the_service_is_not_late(void **state)
{
	struct watch *watch = watch_new(1, 1000);
	struct end worked_at = end_open(watch), read = end_open(watch), late = end_open(watch);

	(void)state;
	watch_pause(worked_at.watched);
	watch_answer(watch, read.watched);
	watch_request(watch, late.watched);
	wait_until_it_is_shut(&late);
	assert_true(is_open(&worked_at));
	assert_true(is_open(&read));
	watch_request(watch, worked_at.watched);
	wait_until_it_is_shut(&worked_at);
	assert_true(is_open(&read));
	end_close(watch, &worked_at);
	end_close(watch, &read);
	end_close(watch, &late);
	watch_free(watch);
}

static void an_answer_that_is_never_read_to_its_end_is_given_up(void **state)
{
	struct watch *watch = watch_new(1000, 1);
	struct end slow = end_open(watch);

	(void)state;
	watch_answer(watch, slow.watched);
	wait_until_it_is_shut(&slow);
	end_close(watch, &slow);
	watch_free(watch);
}

static void a_client_gets_its_quota_and_then_has_to_wait(void **state)
{
	struct limits *limits = limits_new(3);
	struct allowance a;

	(void)state;
	for (unsigned left = 3; left-- > 0;) {
		a = limits_take(limits, "token", "app", "anna", 1);
		assert_true(a.limited && a.granted);
		assert_int_equal(a.left, left);
	}
	a = limits_take(limits, "token", "app", "anna", 1);
	assert_false(a.granted);
	assert_in_range(a.reset_s, 1, 20);
	assert_true(limits_take(limits, "token", "app", "ben", 1).granted);
	assert_true(limits_take(limits, "address", "app", "anna", 1).granted);
	limits_free(limits);
}

static void what_costs_more_takes_more_but_never_more_than_all(void **state)
{
	struct limits *limits = limits_new(100);

	(void)state;
	assert_int_equal(limits_take(limits, "address", "a", NULL, 60).left, 40);
	assert_false(limits_take(limits, "address", "a", NULL, 60).granted);
	assert_true(limits_take(limits, "address", "a", NULL, 40).granted);
	assert_true(limits_take(limits, "address", "b", NULL, 1000).granted);
	assert_false(limits_take(limits, "address", "b", NULL, 1).granted);
	limits_free(limits);
}

static void without_a_quota_nobody_is_limited(void **state)
{
	struct limits *limits = limits_new(0);

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_true(limits_take(limits, "token", "app", "anna", 1).granted);
	assert_false(limits_take(limits, "token", "app", "anna", 1).limited);
	limits_free(limits);
}

static void more_clients_than_room_are_still_served(void **state)
{
	struct limits *limits = limits_new(2);
	char name[16];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof name, "%d", i);
		assert_true(limits_take(limits, "token", "app", name, 1).granted);
	}
	limits_free(limits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accept_is_read_as_rfc_9110_says),
		cmocka_unit_test(who_waits_for_the_service_is_not_late),
		cmocka_unit_test(an_answer_that_is_never_read_to_its_end_is_given_up),
		cmocka_unit_test(a_client_gets_its_quota_and_then_has_to_wait),
		cmocka_unit_test(what_costs_more_takes_more_but_never_more_than_all),
		cmocka_unit_test(without_a_quota_nobody_is_limited),
		cmocka_unit_test(more_clients_than_room_are_still_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
