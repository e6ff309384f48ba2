/* What the tests of the database floor share: a database of their own, reached through a relay. */
#pragma once

#include "../unit/unit.h"

#include "db/pool.h"
#include "db/tx.h"
#include "relay.h"

/* cmocka's group setup and teardown. The server is CARERS_TEST_DATABASE: a superuser, over a unix
 * socket. */
int floor_setup(void **state);
int floor_teardown(void **state);
/* cmocka's setup and teardown of one test: the relay open, the tables as at first. */
int floor_fresh(void **state);

struct relay *floor_relay(void);
/* Connection strings: of the service role through the relay; of the superuser, directly. */
const char *floor_service(void);
const char *floor_owner(void);
/* A new pool on floor_service. */
struct db_pool *floor_pool(unsigned sessions, unsigned wait_ms, unsigned statement_timeout_ms);

/* As the superuser. Each fails the test when PostgreSQL refuses. */
void floor_sql(const char *sql);
int floor_number(const char *sql);
/* Asks until the answer is this number; fails the test when that takes longer than ten seconds. */
void floor_wait(const char *sql, int number);

/* How many connections the server allows to this database, but for superusers; -1: any number. */
void floor_limit(int connections);

/* Callers: staff of council one, of council two, and a partner. */
extern const struct db_claims council_one, council_two, partner;

/* A transaction of one statement; true when it was done. */
bool floor_once(struct db_pool *pool, struct db_call call, struct problem *p);
/* The same; fails the test when it was not done. */
void floor_do(struct db_pool *pool, struct db_call call);

#define CALL(one, ...) \
	((struct db_call){ .query = &(one), .argv = (const char *const[]){ __VA_ARGS__ } })
#define FLOOR_TEST(test) cmocka_unit_test_setup(test, floor_fresh)
/* main() of a test program: with an argument only the test of that name is run. */
#define FLOOR_MAIN(tests)                                                          \
	int main(int argc, char **argv)                                            \
	{                                                                          \
		if (argc > 1)                                                      \
			cmocka_set_test_filter(argv[1]);                           \
		return cmocka_run_group_tests(tests, floor_setup, floor_teardown); \
	}
