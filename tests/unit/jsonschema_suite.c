/*
 * Runs the official JSON-Schema-Test-Suite (draft 2020-12) against src/jsonschema: each test as a
 * line of TAP, then how many of each folder pass. Usage: jsonschema_suite FOLDER, the folder being
 * the suite's root.
 */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "jsonschema/jsonschema.h"

enum { PATH_LIMIT = 1024, NAMES_MAX = 256 };

/* Tests that are not for this library; each must fail, or it does not belong here. */
static const struct {
	const char *file, *group, *why;
} left_out[] = {
	{ "cross-draft.json", "refs to historic drafts are processed as historic drafts",
	  "no draft but 2020-12 is implemented" },
};

struct tally {
	const char *name;
	unsigned passed, total, left_out;
};

struct suite {
	const char *root;
	json_t *remotes; /* URI to document */
	json_t *output_schema;
	struct tally *tally;
	const char *file; /* below the root */
	unsigned number;  /* of the test */
	bool assert_format;
};

/* One test: a line of TAP. `why` NULL: it passed. */
static void tell(struct suite *s, const char *group, const json_t *test, const char *why)
{
	const char *name = json_string_value(json_object_get(test, "description"));

	s->tally->total++;
	s->tally->passed += !why;
	printf("%s %u - %s: %s: %s\n", why ? "not ok" : "ok", ++s->number, s->file, group, name);
	if (why)
		printf("# %s\n", why);
}

static bool is_left_out(const struct suite *s, const char *group)
{
	for (size_t i = 0; i < sizeof(left_out) / sizeof(*left_out); i++) {
		if (strcmp(left_out[i].group, group) == 0 && strstr(s->file, left_out[i].file))
			return true;
	}
	return false;
}

/* Integers beyond 64 bits are read as reals, as far as a file has them. */
static json_t *load(const char *path)
{
	json_error_t error;
	json_t *json = json_load_file(path, JSON_ALLOW_NUL, &error);
	if (!json && json_error_code(&error) == json_error_numeric_overflow)
		json = json_load_file(path, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
	if (!json) {
		fprintf(stderr, "cannot read %s: %s\n", path, error.text);
		exit(1);
	}
	return json;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The entries of a folder in order; the caller frees each. */
static size_t entries(const char *folder, char *names[NAMES_MAX])
{
	DIR *dir = opendir(folder);
	size_t count = 0;
	if (!dir) {
		fprintf(stderr, "cannot open %s: %s\n", folder, strerror(errno));
		exit(1);
	}
	for (struct dirent *entry = readdir(dir); entry && count < NAMES_MAX;
	     entry = readdir(dir)) {
		if (entry->d_name[0] != '.')
			names[count++] = strdup(entry->d_name);
	}
	closedir(dir);
	qsort(names, count, sizeof(*names), by_name);
	return count;
}

static bool is_folder(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text);
	return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* remotes/a/b.json is http://localhost:1234/a/b.json; other drafts' are not ours. */
static void load_remotes(struct suite *s, const char *folder, const char *uri)
{
	char *names[NAMES_MAX];
	size_t count = entries(folder, names);

	for (size_t i = 0; i < count; i++) {
		char path[PATH_LIMIT];
		char below[PATH_LIMIT];
		bool other_draft = strncmp(names[i], "draft", 5) == 0 &&
		                   strcmp(names[i], "draft2020-12") != 0 &&
		                   strcmp(names[i], "draft2019-09") != 0;
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		snprintf(below, sizeof(below), "%s/%s", uri, names[i]);
		if (is_folder(path) && !other_draft && strcmp(names[i], "v1") != 0)
			load_remotes(s, path, below);
		else if (ends_in(path, ".json"))
			json_object_set_new(s->remotes, below, load(path));
		free(names[i]);
	}
}

static struct jsonschema *compile(const struct suite *s, json_t *schema,
                                  struct jsonschema_error *error)
{
	jsonschema_registry_auto *registry = jsonschema_registry_new();
	struct jsonschema_options options = { .assert_format = s->assert_format };
	static const char uri[] = "https://suite.example/schema";
	const char *remote;
	json_t *document;

	json_object_foreach (s->remotes, remote, document) {
		if (!jsonschema_registry_add(registry, remote, document, error))
			return NULL;
	}
	if (!jsonschema_registry_add(registry, uri, schema, error))
		return NULL;
	return jsonschema_compile(registry, uri, &options, error);
}

static bool count_fault(void *context, const struct jsonschema_fault *fault)
{
	unsigned *count = context;
	if (fault->instance && fault->message[0] && fault->keyword && fault->absolute_keyword)
		(*count)++;
	return true;
}

/* All three ways to ask must agree. NULL if they do with what is wanted. */
static const char *ask(const struct jsonschema *schema, const json_t *data, bool wanted)
{
	unsigned faults = 0;

	if (jsonschema_validate(schema, data, NULL, NULL) != wanted)
		return wanted ? "must be valid" : "must not be valid";
	if (jsonschema_validate(schema, data, count_fault, &faults) != wanted)
		return "the verdict changes when faults are reported";
	if ((faults == 0) != wanted)
		return wanted ? "a fault was reported of a valid instance"
		              : "no fault was reported";
	json_auto_t *basic = jsonschema_basic(schema, data);
	if (json_is_true(json_object_get(basic, "valid")) != wanted)
		return "the basic output has another verdict";
	if (!wanted && json_array_size(json_object_get(basic, "errors")) == 0)
		return "the basic output has no errors";
	return NULL;
}

static void run_group(struct suite *s, json_t *group)
{
	const char *name = json_string_value(json_object_get(group, "description"));
	struct jsonschema_error error;
	jsonschema_auto *schema = compile(s, json_object_get(group, "schema"), &error);
	size_t i;
	json_t *test;

	json_array_foreach (json_object_get(group, "tests"), i, test) {
		bool wanted = json_is_true(json_object_get(test, "valid"));
		const char *why = error.what;
		if (schema)
			why = ask(schema, json_object_get(test, "data"), wanted);
		if (why && is_left_out(s, name))
			s->tally->left_out++;
		else
			tell(s, name, test, why);
	}
}

/* The output of each test must pass the schema that the test gives for it. */
static void run_output_group(struct suite *s, json_t *group)
{
	const char *name = json_string_value(json_object_get(group, "description"));
	struct jsonschema_error error;
	jsonschema_auto *schema = compile(s, json_object_get(group, "schema"), &error);
	size_t i;
	json_t *test;

	json_array_foreach (json_object_get(group, "tests"), i, test) {
		json_t *wanted = json_object_get(json_object_get(test, "output"), "basic");
		jsonschema_auto *judge = compile(s, wanted, &error);
		json_auto_t *basic = NULL;
		if (schema)
			basic = jsonschema_basic(schema, json_object_get(test, "data"));
		bool fine = judge && basic && jsonschema_validate(judge, basic, NULL, NULL);
		tell(s, name, test,
		     fine    ? NULL
		     : judge ? "the output is not as wanted"
		             : error.what);
	}
}

static void run_folder(struct suite *s, const char *folder, struct tally *tally,
                       void (*run)(struct suite *, json_t *))
{
	char path[PATH_LIMIT];
	char *names[NAMES_MAX];

	snprintf(path, sizeof(path), "%s/%s", s->root, folder);
	size_t count = entries(path, names);
	s->tally = tally;
	for (size_t i = 0; i < count; i++) {
		char file[PATH_LIMIT * 2];
		size_t k;
		json_t *group;
		snprintf(file, sizeof(file), "%s/%s", path, names[i]);
		free(names[i]);
		if (!ends_in(file, ".json"))
			continue;
		json_auto_t *groups = load(file);
		s->file = file + strlen(s->root) + 1;
		s->assert_format = strstr(file, "optional/format/") != NULL;
		json_array_foreach (groups, k, group)
			run(s, group);
	}
}

int main(int argc, char **argv)
{
	struct tally tallies[] = { { .name = "mandatory" },
		                   { .name = "format" },
		                   { .name = "optional" },
		                   { .name = "output" } };
	struct suite s = { .root = argc > 1 ? argv[1] : getenv("JSON_SCHEMA_TEST_SUITE") };
	char path[PATH_LIMIT];
	bool fine = true;

	if (!s.root) {
		fprintf(stderr, "usage: jsonschema_suite FOLDER\n");
		return 2;
	}
	s.remotes = json_object();
	snprintf(path, sizeof(path), "%s/remotes", s.root);
	load_remotes(&s, path, "http://localhost:1234");
	run_folder(&s, "tests/draft2020-12", &tallies[0], run_group);
	run_folder(&s, "tests/draft2020-12/optional/format", &tallies[1], run_group);
	run_folder(&s, "tests/draft2020-12/optional", &tallies[2], run_group);
	snprintf(path, sizeof(path), "%s/output-tests/draft2020-12/output-schema.json", s.root);
	json_object_set_new(s.remotes, "https://json-schema.org/draft/2020-12/output/schema",
	                    load(path));
	run_folder(&s, "output-tests/draft2020-12/content", &tallies[3], run_output_group);
	json_decref(s.remotes);
	printf("1..%u\n", s.number);
	for (size_t i = 0; i < sizeof(tallies) / sizeof(*tallies); i++) {
		printf("# JSON-Schema-Test-Suite %-10s %u/%u", tallies[i].name, tallies[i].passed,
		       tallies[i].total);
		if (tallies[i].left_out)
			printf(" (%u left out)", tallies[i].left_out);
		printf("\n");
		fine = fine && tallies[i].total && tallies[i].passed == tallies[i].total;
	}
	return fine ? 0 : 1;
}
