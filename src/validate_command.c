/* `carers-api validate`: JSON files against a JSON Schema 2020-12 document; a thin front of
 * src/jsonschema. */
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "command.h"
#include "jsonschema/jsonschema.h"

enum { FOLDERS = 16 };
enum { VALID = 0, NOT_VALID = 1, UNUSABLE = 2 };

struct job {
	bool assert_format;
	const char *folders[FOLDERS]; /* DIR=URI */
	size_t folder_count;
	const char *schema;
	char **instances;
	int instance_count;
};

static bool refuse(const char *file, const char *why)
{
	char sentence[512];

	snprintf(sentence, sizeof sentence, "%s: %s", file, why);
	command_complain(NULL, sentence);
	return false;
}

/* A file of one JSON document. It comes from the user's own disk: no limit of depth but jansson's
 * own. */
static json_t *read_json(const char *file)
{
	json_error_t error;
	json_t *json = json_load_file(
		file, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

	if (!json)
		refuse(file, error.text);
	return json;
}

static bool add(struct jsonschema_registry *registry, const char *file, const char *uri)
{
	struct jsonschema_error error;
	json_auto_t *json = read_json(file);

	return json &&
	       (jsonschema_registry_add(registry, uri, json, &error) || refuse(file, error.what));
}

static void ftsp(FTS **tree)
{
	if (*tree)
		fts_close(*tree);
}

/* `below`: the file's path from the folder on. */
static bool add_below(struct jsonschema_registry *registry, const char *base, const char *below,
                      const char *file)
{
	buf_auto uri = { .limit = 8 * KIB };

	below += strspn(below, "/");
	return buf_addf(&uri, "%s%s%s", base, text_ends(base, "/") ? "" : "/", below) &&
	       add(registry, file, buf_text(&uri));
}

/* Every .json file of the folder and those below it, each under the URI that its path gives it. One
 * that is no schema is told and left out: it does harm only if a reference wants it. */
static bool add_folder(struct jsonschema_registry *registry, const char *pair)
{
	const char *equals = strchr(pair, '=');
	text_auto *folder = equals ? text_copy_n(pair, (size_t)(equals - pair)) : NULL;
	char *const roots[] = { folder, NULL };
	owned_by(ftsp) FTS *tree =
		folder ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
	bool any = false;

	if (!tree)
		return refuse(pair, "--schemas takes DIR=URI");
	for (FTSENT *entry = fts_read(tree); entry; entry = fts_read(tree)) {
		if (entry->fts_info != FTS_F || !text_ends(entry->fts_path, ".json"))
			continue;
		any |= add_below(registry, equals + 1, entry->fts_path + strlen(folder),
		                 entry->fts_path);
	}
	return any || refuse(folder, "has no schema");
}

/* The file's own URI: what its relative references are resolved against when it has no $id. */
static bool file_uri(const char *file, struct buf *uri)
{
	char *path = realpath(file, NULL);
	bool good = path && buf_add(uri, "file://");

	for (const char *c = path; good && *c; c++) {
		bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
		             (*c >= 'A' && *c <= 'Z') || strchr("/-._~", *c);

		good = plain ? buf_add_bytes(uri, c, 1)
		             : buf_addf(uri, "%%%02X", (unsigned char)*c);
	}
	free(path);
	return good || refuse(file, "cannot be found");
}

static struct jsonschema *compile(const struct job *job)
{
	const struct jsonschema_options options = { .assert_format = job->assert_format };
	jsonschema_registry_auto *registry = jsonschema_registry_new();
	buf_auto uri = { .limit = 16 * KIB };
	struct jsonschema_error error;
	struct jsonschema *schema;

	if (!registry)
		return NULL;
	for (size_t i = 0; i < job->folder_count; i++)
		if (!add_folder(registry, job->folders[i]))
			return NULL;
	if (!file_uri(job->schema, &uri) || !add(registry, job->schema, buf_text(&uri)))
		return NULL;
	schema = jsonschema_compile(registry, buf_text(&uri), &options, &error);
	if (!schema) {
		refuse(job->schema, error.what);
		refuse(error.where, "this is where");
	}
	return schema;
}

/* One line for the instance: {"valid": true}, or the draft's basic output. */
static int validate(const struct jsonschema *schema, const char *file)
{
	json_auto_t *instance = read_json(file);
	json_auto_t *output = NULL;
	text_auto *line = NULL;
	bool valid;

	if (!instance)
		return UNUSABLE;
	valid = jsonschema_validate(schema, instance, NULL, NULL);
	output = valid ? json_pack("{s:b}", "valid", 1) : jsonschema_basic(schema, instance);
	line = output ? json_dumps(output, 0) : NULL;
	if (!line)
		return UNUSABLE;
	puts(line);
	return valid ? VALID : NOT_VALID;
}

static bool read_words(const struct command_line *line, struct job *job)
{
	int i = 0;

	for (; i < line->count && text_starts(line->words[i], "--"); i++) {
		if (strcmp(line->words[i], "--assert-format") == 0)
			job->assert_format = true;
		else if (strcmp(line->words[i], "--schemas") == 0 && i + 1 < line->count &&
		         job->folder_count < FOLDERS)
			job->folders[job->folder_count++] = line->words[++i];
		else
			return false;
	}
	if (line->count - i < 2)
		return false;
	job->schema = line->words[i];
	job->instances = line->words + i + 1;
	job->instance_count = line->count - i - 1;
	return true;
}

int command_validate(const struct command_line *line)
{
	jsonschema_auto *schema = NULL;
	struct job job = { 0 };
	int worst = VALID;

	if (!read_words(line, &job)) {
		command_complain(
			NULL,
			"validate [--assert-format] [--schemas DIR=URI]... SCHEMA INSTANCE...");
		return UNUSABLE;
	}
	schema = compile(&job);
	if (!schema)
		return UNUSABLE;
	for (int i = 0; i < job.instance_count; i++) {
		int result = validate(schema, job.instances[i]);

		if (result > worst)
			worst = result;
	}
	return worst;
}
