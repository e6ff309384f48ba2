/* Migrations: what the database has against what this program has, and the bringing of one to the
 * other. */
#include "db/migrate.h"

#include <string.h>

#include "base/clock.h"
#include "borrow.h"
#include "db/tx.h"
#include "session_queries.h"

enum {
	LOCK_TIMEOUT_MS =
		60000, /* for another migrator to end, or a table that the running service reads */
	CONNECT_US = 5000000,
	CHECK_WAIT_MS = 2000 /* for one small query */
};

/*
 * The applied ones must be our first ones, in order and unchanged: `ret_count` says how many. When
 * all of ours are, newer ones that only expand are none of our business (docs/adr/0033). Rows are
 * in order of name.
 */
static bool compare(const struct db_rows *rows, const struct db_migrations *ours, size_t *ret_count,
                    struct problem *p)
{
	size_t count = db_count(rows);

	for (size_t i = 0; i < count; i++) {
		const char *name = db_text(rows, i, "name");
		int order = i < ours->count ? strcmp(name, ours->list[i].name) : -1;

		if (i >= ours->count && strcmp(db_text(rows, i, "expands"), "t") == 0)
			continue;
		if (order < 0)
			return problem(
				p, PROBLEM_CONFLICT,
				"the database has migration %s, which this program does not know",
				name);
		if (order > 0)
			return problem(p, PROBLEM_CONFLICT,
			               "migration %s is missing although %s, which comes after it, "
			               "was applied",
			               ours->list[i].name, name);
		if (strcmp(db_text(rows, i, "checksum"), ours->list[i].checksum) != 0)
			return problem(p, PROBLEM_CONFLICT,
			               "migration %s was changed after it was applied", name);
	}
	*ret_count = count < ours->count ? count : ours->count;
	return true;
}

/* All of them are applied; CONFLICT otherwise. */
static bool check(struct db_pool *pool, const struct db_migrations *expected, struct problem *p)
{
	db_rows_auto *there = NULL, *rows = NULL;
	db_tx_auto *tx = NULL;
	size_t count = 0;

	if (!db_begin(pool, NULL, DB_READ, false, &tx, p) ||
	    !db_run(tx, Q_MIGRATION_TABLE_THERE(), &there, p))
		return false;
	if (db_count(there) == 0)
		return problem(p, PROBLEM_CONFLICT,
		               "the database is empty: run `carers-api migrate` first");
	if (!db_last(tx, Q_MIGRATIONS_APPLIED(), &rows, p) || !compare(rows, expected, &count, p))
		return false;
	if (count < expected->count)
		return problem(p, PROBLEM_CONFLICT,
		               "migration %s is not applied: run `carers-api migrate` first",
		               expected->list[count].name);
	return true;
}

bool db_pool_ready(struct db_pool *pool, const struct db_migrations *expected, struct problem *p)
{
	if (check(pool, expected, p))
		return true;
	p->code = PROBLEM_UNAVAILABLE;
	p->retry_after = 1;
	return false;
}

bool db_migrated(const char *conninfo, const struct db_migrations *migrations, struct problem *p)
{
	struct db_config config = { .conninfo = conninfo,
		                    .sessions = 1,
		                    .wait_ms = CHECK_WAIT_MS,
		                    .statement_timeout_ms = CHECK_WAIT_MS };
	struct db_pool *pool = db_pool_new(&config);
	bool good = pool ? check(pool, migrations, p)
	                 : problem(p, PROBLEM_UNAVAILABLE, "out of memory");

	db_pool_free(pool);
	return good;
}

/* One statement on its own, waited for. */
static bool ask(struct db_session *s, struct db_call call, struct db_rows **ret_rows,
                struct problem *p)
{
	struct session_answer answer;

	if (!session_put(s, call, "", SENT_KEPT, p) || !session_exchange(s, &answer, p))
		return false;
	*ret_rows = (struct db_rows *)answer.rows;
	return true;
}

static bool tell(struct db_session *s, struct db_call call, struct problem *p)
{
	db_rows_auto *rows = NULL;

	return ask(s, call, &rows, p);
}

static bool make_table(struct db_session *s, struct problem *p)
{
	return tell(s, Q_MIGRATION_TABLE(), p) && tell(s, Q_MIGRATION_TABLE_EXPANDS(), p) &&
	       tell(s, Q_MIGRATION_TABLE_COMMENT(), p) && tell(s, Q_MIGRATION_TABLE_GRANT(), p);
}

static bool apply(struct db_session *s, const struct db_migration *m, struct problem *p)
{
	if (!tell(s, Q_BEGIN(), p) || !session_script(s, m->name, m->sql, p))
		return false;
	if (!session_in_transaction(s))
		return problem(p, PROBLEM_INTERNAL, "%s ends its own transaction", m->name);
	return tell(s, Q_MIGRATION_INSERT(m->name, m->checksum, m->expands ? "true" : "false"),
	            p) &&
	       tell(s, Q_COMMIT(), p);
}

static bool follow_up(struct db_session *s, struct problem *p)
{
	db_rows_auto *there = NULL;

	return ask(s, Q_MIGRATED_THERE(), &there, p) &&
	       (db_count(there) == 0 || tell(s, Q_MIGRATED(), p));
}

static bool migrate(struct db_session *s, const struct db_migrations *migrations,
                    db_migrated_fn *done, void *context, struct problem *p)
{
	db_rows_auto *rows = NULL;
	size_t count = 0;

	if (!tell(s, Q_MIGRATION_LOCK(), p) || !make_table(s, p) ||
	    !ask(s, Q_MIGRATIONS_APPLIED(), &rows, p) || !compare(rows, migrations, &count, p))
		return false;
	for (; count < migrations->count; count++) {
		if (!apply(s, &migrations->list[count], p))
			return false;
		if (done)
			done(context, migrations->list[count].name);
	}
	return follow_up(s, p);
}

bool db_migrate(const char *conninfo, const struct db_migrations *migrations, db_migrated_fn *done,
                void *context, struct problem *p)
{
	struct session_config config = { .conninfo = conninfo, .lock_timeout_ms = LOCK_TIMEOUT_MS };
	struct db_session s = { .conn = NULL };
	bool good = session_open(&s, &config, clock_monotonic_us() + CONNECT_US, p) &&
	            migrate(&s, migrations, done, context, p);

	session_close(&s); /* ends what is open, and gives the lock back */
	return good;
}
