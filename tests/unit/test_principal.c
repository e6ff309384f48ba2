/* Principals: copied once, counted, the public one never freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "auth/principal.h"

static const struct principal *made(void)
{
	char subject[] = "user-1"; /* gone when this returns: the principal has its own */
	char scope[] = "a b";
	struct principal says = { .subject = subject,
		                  .role = "carer",
		                  .class = "carers_self",
		                  .councils = "{}",
		                  .carer = "018f0000-0000-7000-8000-000000000002",
		                  .scope = scope,
		                  .issuer = "https://idp.example.org/",
		                  .expires = 7,
		                  .issued = 5 };
	const struct principal *principal = principal_new(&says);

	memset(subject, 'x', sizeof subject - 1);
	memset(scope, 'x', sizeof scope - 1);
	return principal;
}

static void a_principal_has_its_own_copy_of_every_word(void **state)
{
	principal_auto *who = made();

	(void)state;
	assert_non_null(who);
	assert_string_equal(who->subject, "user-1");
	assert_string_equal(who->scope, "a b");
	assert_string_equal(who->carer, "018f0000-0000-7000-8000-000000000002");
	assert_null(who->org);
	assert_null(who->client);
	assert_false(who->anonymous);
	assert_int_equal(who->expires, 7);
	assert_int_equal(who->issued, 5);
}

static void a_principal_lives_as_long_as_someone_holds_it(void **state)
{
	const struct principal *first = made();
	principal_auto *second = principal_hold(first);

	(void)state;
	assert_ptr_equal(first, second);
	principal_release(first);
	assert_string_equal(second->subject, "user-1");
}

static void the_public_has_no_token_and_is_never_freed(void **state)
{
	const struct principal *public = principal_public();

	(void)state;
	principal_release(principal_hold(public));
	principal_release(public);
	principal_release(public);
	assert_true(public->anonymous);
	assert_string_equal(public->class, "carers_public");
	assert_string_equal(public->councils, "{}");
	assert_string_equal(public->scope, "");
	assert_null(public->org);
	assert_null(public->carer);
}

static void nothing_can_be_released(void **state)
{
	(void)state;
	principal_release(NULL);
}

enum { THREADS = 8, ROUNDS = 20000 };

static void *hold_and_release(void *context)
{
	for (int i = 0; i < ROUNDS; i++) {
		principal_auto *held = principal_hold(context);

		if (held->expires != 7)
			return context;
	}
	return NULL;
}

static void many_threads_hold_one_principal(void **state)
{
	principal_auto *who = made();
	pthread_t threads[THREADS];
	void *wrong;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, hold_and_release, (void *)(uintptr_t)who),
			0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	assert_string_equal(who->subject, "user-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_principal_has_its_own_copy_of_every_word),
		cmocka_unit_test(a_principal_lives_as_long_as_someone_holds_it),
		cmocka_unit_test(the_public_has_no_token_and_is_never_freed),
		cmocka_unit_test(nothing_can_be_released),
		cmocka_unit_test(many_threads_hold_one_principal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
