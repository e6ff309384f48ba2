/* `carers-api import`: a file into the directory, or the ONS Postcode Directory into its table. */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "base/json.h"
#include "base/text.h"
#include "command.h"
#include "db/pool.h"
#include "db/tx.h"
#include "import.h"
#include "import_postcodes.h"
#include "queries.h"

enum { BATCH = 500, BATCH_MS = 120000, ATTEMPTS = 4 };

struct job {
	const char *file, *source, *council;
	enum import_format format;
	struct db_pool *pool;
	unsigned long long sent, added, changed, refused, warned;
};

static void tell(void *context, unsigned long line, const char *pointer, const char *sentence,
                 bool warning)
{
	struct job *job = context;

	if (warning)
		job->warned++;
	else
		job->refused++;
	fprintf(stderr, "%s:%lu: %s%s%s%s\n", job->file, line, warning ? "warning: " : "", pointer,
	        *pointer ? " " : "", sentence);
}

static void quiet(void *context, unsigned long lines)
{
	(void)context;
	(void)lines;
}

static unsigned long long number(const json_t *result, const char *name)
{
	return (unsigned long long)json_integer_value(json_object_get(result, name));
}

static bool take_result(struct job *job, const char *text, size_t count, struct problem *p)
{
	json_auto_t *result = json_loads(text, 0, NULL);
	const json_t *fault;
	size_t i;

	if (!result)
		return problem(p, PROBLEM_INTERNAL, "the database answered with no JSON");
	job->sent += count;
	job->added += number(result, "added");
	job->changed += number(result, "changed");
	json_array_foreach (json_object_get(result, "faults"), i, fault) {
		job->sent--;
		tell(job, (unsigned long)number(fault, "line"), json_text(fault, "pointer"),
		     json_text(fault, "sentence"), false);
	}
	return true;
}

/* A batch is one transaction, run again when PostgreSQL asks for that. */
static bool send(void *context, const char *items, size_t count, struct problem *p)
{
	struct job *job = context;
	bool again = true;

	for (int i = 0; i < ATTEMPTS && again; i++) {
		db_tx_auto *tx = NULL;
		db_rows_auto *rows = NULL;

		problem_done(p);
		if (!db_begin(job->pool, NULL, DB_WRITE, false, &tx, p))
			return false;
		if (db_last(tx, Q_IMPORT_BATCH(job->source, job->council, items), &rows, p))
			return take_result(job, db_text(rows, 0, "body"), count, p);
		again = db_may_retry(tx);
	}
	return false;
}

/* A whole file, borrowed from the system; to be unmapped. */
static bool map_file(const struct job *job, struct import_text *ret_file, struct problem *p)
{
	int file = open(job->file, O_RDONLY | O_CLOEXEC);
	struct stat about;
	char *text = MAP_FAILED;

	if (file >= 0 && fstat(file, &about) == 0 && about.st_size > 0)
		text = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
	if (file >= 0)
		close(file);
	if (text == MAP_FAILED)
		return problem(p, PROBLEM_UNAVAILABLE, "%s cannot be read, or is empty", job->file);
	*ret_file = (struct import_text){ job->format, text, (size_t)about.st_size };
	return true;
}

static void unmap_file(const struct import_text *file) { munmap((void *)file->text, file->size); }

static bool read_file(struct job *job, const struct importer *importer, struct problem *p)
{
	const struct import_sink sink = { send, tell, quiet, BATCH, job };
	struct import_text file;
	bool good;

	if (!map_file(job, &file, p))
		return false;
	good = importer_read(importer, &file, &sink, p);
	unmap_file(&file);
	return good;
}

static bool run(struct job *job, const struct settings *settings, struct problem *p)
{
	const struct db_config config = { .conninfo = settings->database_owner,
		                          .sessions = 1,
		                          .wait_ms = (unsigned)settings->session_wait_ms,
		                          .statement_timeout_ms = BATCH_MS };
	handler_fn **handlers = NULL;
	struct contract *contract = app_contract(command_complain, NULL, &handlers);
	struct importer *importer = contract ? importer_new(contract) : NULL;
	bool good;

	job->pool = db_pool_new(&config);
	good = importer && job->pool ? read_file(job, importer, p)
	                             : problem(p, PROBLEM_UNAVAILABLE, "no memory, or no contract");
	if (job->pool)
		db_pool_free(job->pool);
	importer_free(importer);
	contract_free(contract);
	free(handlers);
	return good;
}

/* By the end of the file's name. */
static enum import_format format_of(const char *file)
{
	if (text_ends(file, ".csv"))
		return IMPORT_CSV;
	return text_ends(file, ".json") ? IMPORT_JSON : IMPORT_NDJSON;
}

static bool take_option(struct job *job, const char *name, const char *value)
{
	if (strcmp(name, "--council") == 0)
		job->council = value;
	else if (strcmp(name, "--source") == 0)
		job->source = value;
	else if (strcmp(name, "--format") == 0)
		job->format = import_format_parse(value);
	else
		return false;
	return strcmp(name, "--format") != 0 || job->format < IMPORT_FORMATS;
}

/* `directory FILE` and options, in any order behind the first word. */
static bool read_words(const struct command_line *line, struct job *job)
{

	if (line->count < 2 || strcmp(line->words[0], "directory") != 0)
		return false;
	job->source = "import";
	job->format = IMPORT_FORMATS;
	for (int i = 1; i < line->count; i++) {
		const char *word = line->words[i];

		if (!text_starts(word, "--") && !job->file)
			job->file = word;
		else if (++i == line->count || !take_option(job, word, line->words[i]))
			return false;
	}
	if (job->format == IMPORT_FORMATS && job->file)
		job->format = format_of(job->file);
	return job->file && job->council;
}

static void tell_postcode(void *context, unsigned long line, const char *sentence)
{
	tell(context, line, "", sentence, false);
}

static bool run_postcodes(struct job *job, const struct settings *settings, struct problem *p)
{
	const struct postcode_sink sink = { tell_postcode, job };
	struct postcode_result result;
	struct import_text file;
	bool good;

	if (!map_file(job, &file, p))
		return false;
	good = import_postcodes(settings->database_owner, &file, &sink, &result, p);
	unmap_file(&file);
	if (good)
		printf("{\"read\": %llu, \"changed\": %llu, \"without_a_place\": %llu, \"faults\": "
		       "%llu}\n",
		       result.taken, (unsigned long long)result.changed, result.placeless,
		       job->refused);
	return good;
}

static bool run_directory(struct job *job, const struct settings *settings, struct problem *p)
{
	if (!run(job, settings, p))
		return false;
	printf("{\"added\": %llu, \"changed\": %llu, \"unchanged\": %llu, \"faults\": %llu, "
	       "\"warnings\": %llu}\n",
	       job->added, job->changed, job->sent - job->added - job->changed, job->refused,
	       job->warned);
	return true;
}

int command_import(const struct command_line *line)
{
	bool postcodes = line->count == 2 && strcmp(line->words[0], "postcodes") == 0;
	struct job job = { .file = postcodes ? line->words[1] : NULL };
	problem_auto p = { 0 };

	if (!postcodes && !read_words(line, &job)) {
		command_complain(NULL,
		                 "import directory FILE --council GSS [--source NAME] [--format "
		                 "ndjson|json|csv]; import postcodes FILE");
		return EXIT_USE;
	}
	if (!(postcodes ? run_postcodes : run_directory)(&job, line->settings, &p)) {
		command_complain(NULL, p.detail);
		return EXIT_FAILED;
	}
	return job.refused ? EXIT_FAILED : EXIT_GOOD;
}
