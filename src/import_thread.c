/* The thread that does the imports asked for over HTTP: one after another, a batch a transaction.
 */
#include "import_thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "db/tx.h"
#include "import.h"
#include "queries.h"

enum {
	IDLE_MS = 1000,
	BATCH = 100,
	/* For an item as much as the command gives. At the stop of the service it is waited for. */
	BATCH_MS = 30000,
	WAIT_MS = 10000,
	ATTEMPTS = 4,
	TOLD = 1000 /* faults of an import that are kept */
};

static const struct db_claims nobody = { .operation = "import" };

struct import_thread {
	struct importer *importer;
	struct db_pool *pool;
	const char *conninfo;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stop;
};

/* One import. */
struct job {
	struct import_thread *thread;
	const char *id;
	struct db_pool *pool; /* batches take longer than a request may */
	unsigned long line;
	/* Since the last batch: */
	json_t *told; /* the first of them */
	unsigned long told_of, refused;
	unsigned long last_refused; /* a line that was refused for two reasons is one */
};

static void tell(void *context, unsigned long line, const char *pointer, const char *sentence,
                 bool warning)
{
	struct job *job = context;
	json_auto_t *fault = json_pack("{s:I, s:s, s:s}", "line", (json_int_t)line, "pointer",
	                               pointer, "sentence", sentence);

	if (warning)
		json_object_set_new(fault, "warning", json_true());
	else if (line != job->last_refused)
		job->refused++;
	if (!warning)
		job->last_refused = line;
	job->told_of++;
	if (fault && json_array_size(job->told) < TOLD)
		json_array_append(job->told, fault);
}

static void read_so_far(void *context, unsigned long lines)
{
	((struct job *)context)->line = lines;
}

/* A statement in a transaction of its own, run again when PostgreSQL asks for that. */
static bool ask(struct db_pool *pool, struct db_call call, struct db_rows **ret_rows,
                struct problem *p)
{
	bool again = true;

	for (int i = 0; i < ATTEMPTS && again; i++) {
		db_tx_auto *tx = NULL;

		problem_done(p);
		if (!db_begin(pool, &nobody, DB_WRITE, false, &tx, p))
			return false;
		if (db_last(tx, call, ret_rows, p))
			return true;
		again = db_may_retry(tx);
	}
	return false;
}

static bool step(struct job *job, const char *items, struct problem *p)
{
	text_auto *told = json_print(job->told);
	db_rows_auto *rows = NULL;
	char line[24], refused[24], told_of[24];

	snprintf(line, sizeof line, "%lu", job->line);
	snprintf(refused, sizeof refused, "%lu", job->refused);
	snprintf(told_of, sizeof told_of, "%lu", job->told_of);
	if (!told)
		return problem(p, PROBLEM_UNAVAILABLE, "the service has no memory to spare");
	json_array_clear(job->told);
	job->told_of = job->refused = 0;
	return ask(job->pool, Q_IMPORT_STEP(job->id, line, items, told, refused, told_of), &rows,
	           p);
}

static bool send(void *context, const char *items, size_t count, struct problem *p)
{
	struct job *job = context;

	(void)count;
	if (atomic_load(&job->thread->stop))
		return problem(p, PROBLEM_UNAVAILABLE, "the service stops");
	return step(job, items, p);
}

static bool run(struct job *job, const struct db_rows *rows, struct problem *p)
{
	const struct import_sink sink = { send, tell, read_so_far, BATCH, job };
	const struct db_config patient = { .conninfo = job->thread->conninfo,
		                           .sessions = 1,
		                           .wait_ms = WAIT_MS,
		                           .statement_timeout_ms = BATCH_MS };
	const struct import_text file = { import_format_parse(db_text(rows, 0, "format")),
		                          db_text(rows, 0, "content"),
		                          db_size(rows, 0, "content") };
	bool good;

	job->pool = db_pool_new(&patient);
	if (!job->pool)
		return problem(p, PROBLEM_UNAVAILABLE, "the service has no memory to spare");
	good = importer_read(job->thread->importer, &file, &sink, p) && step(job, "[]", p);
	db_pool_free(job->pool);
	return good;
}

/* An import that is at fault has failed; one that the service could not do now is taken up again,
 * until import_take() gives it up. */
static void end(struct job *job, bool good, const struct problem *why)
{
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;

	if (!good && why->code == PROBLEM_UNAVAILABLE)
		return;
	if (!ask(job->thread->pool, Q_IMPORT_END(job->id, good ? NULL : why->detail), &rows, &p))
		log_event(LOG_WARNING, "import-not-ended", "import", job->id, NULL);
}

/* False: there is nothing to do. */
static bool take_one(struct import_thread *thread)
{
	problem_auto p = { .code = PROBLEM_NONE };
	db_rows_auto *rows = NULL;
	json_auto_t *told = json_array();
	struct job job = { .thread = thread, .told = told };
	bool good;

	if (!told || !ask(thread->pool, Q_IMPORT_TAKE(), &rows, &p) || db_count(rows) == 0)
		return false;
	job.id = db_text(rows, 0, "id");
	good = run(&job, rows, &p);
	end(&job, good, &p);
	log_event(good ? LOG_INFO : LOG_WARNING, good ? "import-done" : "import-failed", "import",
	          job.id, NULL);
	return good || p.code != PROBLEM_UNAVAILABLE;
}

static void await(struct import_thread *thread)
{
	struct timespec until = clock_in_ms(IDLE_MS);

	pthread_mutex_lock(&thread->lock);
	if (!atomic_load(&thread->stop))
		pthread_cond_timedwait(&thread->wake, &thread->lock, &until);
	pthread_mutex_unlock(&thread->lock);
}

static void *work(void *context)
{
	struct import_thread *thread = context;

	while (!atomic_load(&thread->stop))
		if (!take_one(thread))
			await(thread);
	return NULL;
}

struct import_thread *import_thread_start(const struct contract *contract, struct db_pool *pool,
                                          const char *conninfo)
{
	struct import_thread *thread = calloc(1, sizeof *thread);

	if (!thread)
		return NULL;
	thread->pool = pool;
	thread->conninfo = conninfo;
	thread->importer = importer_new(contract);
	pthread_mutex_init(&thread->lock, NULL);
	clock_condition(&thread->wake);
	if (thread->importer && pthread_create(&thread->thread, NULL, work, thread) == 0)
		return thread;
	importer_free(thread->importer);
	free(thread);
	return NULL;
}

void import_thread_stop(struct import_thread *thread)
{
	if (!thread)
		return;
	pthread_mutex_lock(&thread->lock);
	atomic_store(&thread->stop, true);
	pthread_cond_signal(&thread->wake);
	pthread_mutex_unlock(&thread->lock);
	pthread_join(thread->thread, NULL);
	pthread_cond_destroy(&thread->wake);
	pthread_mutex_destroy(&thread->lock);
	importer_free(thread->importer);
	free(thread);
}
