/* What the tests of the database floor share: a database of their own, reached through a relay. */
#include "floor.h"

#include <libpq-fe.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

const struct db_claims council_one = { .class = "floor_council",
	                               .role = "practitioner",
	                               .councils = "{one}",
	                               .subject = "subject-1",
	                               .client = "client-1",
	                               .operation = "getThing",
	                               .request = "request-1" };
const struct db_claims council_two = { .class = "floor_council",
	                               .role = "practitioner",
	                               .councils = "{two}" };
const struct db_claims partner = { .class = "floor_partner", .role = "assessor", .councils = "{}" };

static struct {
	PGconn *server, *admin;
	struct relay *relay;
	char name[32], service[256], owner[256];
} floor_state;

static int run(PGconn *conn, const char *sql, bool *ret_good)
{
	PGresult *result = PQexec(conn, sql);
	uint64_t number = 0;

	*ret_good = PQresultStatus(result) == PGRES_COMMAND_OK ||
	            PQresultStatus(result) == PGRES_TUPLES_OK;
	if (!*ret_good)
		fprintf(stderr, "%s: %s", sql, PQerrorMessage(conn));
	if (PQntuples(result) && !text_number(PQgetvalue(result, 0, 0), 0, INT_MAX, &number))
		number = 0;
	PQclear(result);
	return (int)number;
}

static bool make_roles(PGconn *server)
{
	static const char *const roles[] = { "floor_service LOGIN NOINHERIT", "floor_council",
		                             "floor_partner" };
	char sql[256];
	bool good = true;

	for (size_t i = 0; i < COUNT_OF(roles) && good; i++) {
		snprintf(sql, sizeof sql,
		         "SELECT pg_advisory_xact_lock(1); DO $$ BEGIN CREATE ROLE %s; "
		         "EXCEPTION WHEN duplicate_object THEN NULL; END $$",
		         roles[i]);
		run(server, sql, &good);
	}
	if (good)
		run(server,
		    "SELECT pg_advisory_xact_lock(1); GRANT floor_council, floor_partner TO "
		    "floor_service",
		    &good);
	return good;
}

static bool make_database(const char *folder)
{
	text_auto *schema = NULL;
	char path[512], sql[128];
	size_t size;
	bool good;

	snprintf(path, sizeof path, "%s/floor.sql", folder);
	schema = text_file(path, 65536, &size);
	snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE template0", floor_state.name);
	run(floor_state.server, sql, &good);
	if (!schema || !good)
		return false;
	floor_state.admin = PQconnectdb(floor_state.owner);
	snprintf(sql, sizeof sql, "ALTER DATABASE %s SET deadlock_timeout = 10", floor_state.name);
	run(floor_state.admin, sql, &good);
	if (good)
		run(floor_state.admin, schema, &good);
	return good;
}

int floor_setup(void **state)
{
	const char *given = getenv("CARERS_TEST_DATABASE");
	char upstream[256];

	(void)state;
	log_open(LOG_ERROR);
	setenv("PGOPTIONS", "-c client_min_messages=warning", 1);
	floor_state.server = PQconnectdb(given ? given : "");
	if (PQstatus(floor_state.server) != CONNECTION_OK) {
		fprintf(stderr, "CARERS_TEST_DATABASE: %s", PQerrorMessage(floor_state.server));
		return -1;
	}
	snprintf(upstream, sizeof upstream, "%s/.s.PGSQL.%s", PQhost(floor_state.server),
	         PQport(floor_state.server));
	floor_state.relay = relay_start(upstream);
	if (!floor_state.relay)
		return -1;
	snprintf(floor_state.name, sizeof floor_state.name, "floor_%d", (int)getpid());
	snprintf(floor_state.service, sizeof floor_state.service,
	         "host=%s port=5432 user=floor_service dbname=%s", relay_folder(floor_state.relay),
	         floor_state.name);
	snprintf(floor_state.owner, sizeof floor_state.owner, "host=%s port=%s user=%s dbname=%s",
	         PQhost(floor_state.server), PQport(floor_state.server), PQuser(floor_state.server),
	         floor_state.name);
	return make_roles(floor_state.server) && make_database(getenv("FLOOR_FOLDER")) ? 0 : -1;
}

int floor_teardown(void **state)
{
	char sql[128];
	bool good;

	(void)state;
	PQfinish(floor_state.admin);
	snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", floor_state.name);
	run(floor_state.server, sql, &good);
	PQfinish(floor_state.server);
	relay_stop(floor_state.relay);
	log_close();
	return good ? 0 : -1;
}

int floor_fresh(void **state)
{
	(void)state;
	relay_set(floor_state.relay, RELAY_OPEN);
	floor_sql("TRUNCATE thing; INSERT INTO thing VALUES (1, 'one', '9434765919'), (2, 'two', "
	          "NULL)");
	return 0;
}

struct relay *floor_relay(void) { return floor_state.relay; }
const char *floor_service(void) { return floor_state.service; }
const char *floor_owner(void) { return floor_state.owner; }

struct db_pool *floor_pool(unsigned sessions, unsigned wait_ms, unsigned statement_timeout_ms)
{
	struct db_config config = { floor_state.service, sessions, wait_ms, statement_timeout_ms };
	struct db_pool *pool = db_pool_new(&config);

	assert_non_null(pool);
	return pool;
}

void floor_sql(const char *sql) { floor_number(sql); }

int floor_number(const char *sql)
{
	bool good;
	int number = run(floor_state.admin, sql, &good);

	assert_true(good);
	return number;
}

void floor_limit(int connections)
{
	char sql[128];

	snprintf(sql, sizeof sql, "ALTER DATABASE %s CONNECTION LIMIT %d", floor_state.name,
	         connections);
	floor_sql(sql);
}

void floor_wait(const char *sql, int number)
{
	int64_t deadline_us = clock_monotonic_us() + 10000000;

	while (floor_number(sql) != number)
		assert_true(clock_monotonic_us() < deadline_us);
}

bool floor_once(struct db_pool *pool, struct db_call call, struct problem *p)
{
	db_rows_auto *rows = NULL;
	db_tx_auto *tx = NULL;

	return db_begin(pool, &council_one, DB_WRITE, false, &tx, p) && db_last(tx, call, &rows, p);
}

void floor_do(struct db_pool *pool, struct db_call call)
{
	problem_auto p = { .code = PROBLEM_NONE };

	if (!floor_once(pool, call, &p))
		fail_msg("%s", p.detail);
}
