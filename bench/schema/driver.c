/*
 * Turns of src/jsonschema for ./dev bench schema: driver annotate|assert SCHEMA INSTANCE... prints
 * the verdicts as a JSON array, then for each line [N, SECONDS] on stdin validates instance N over
 * and over for so long and prints how often.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "jsonschema/jsonschema.h"

enum { BATCH = 16, MOST = 16 };
static const char uri[] = "https://bench.example/";

static int complain(const char *file, const char *why)
{
	fprintf(stderr, "%s: %s\n", file, why);
	return 1;
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint64_t turn(const struct jsonschema *schema, const json_t *instance, double seconds)
{
	double end = seconds_now() + seconds;
	uint64_t count = 0;

	do {
		for (unsigned i = 0; i < BATCH; i++)
			(void)jsonschema_validate(schema, instance, NULL, NULL);
		count += BATCH;
	} while (seconds_now() < end);
	return count;
}

static void take_turns(const struct jsonschema *schema, json_t *const *instances, size_t count)
{
	char line[64];

	while (fgets(line, sizeof line, stdin)) {
		json_auto_t *turns = json_loads(line, 0, NULL);
		double seconds;
		int which;

		if (json_unpack(turns, "[iF]", &which, &seconds) < 0 || which < 0 ||
		    (size_t)which >= count)
			return;
		printf("%ju\n", (uintmax_t)turn(schema, instances[which], seconds));
		fflush(stdout);
	}
}

static struct jsonschema *compile(const char *file, bool assert_format)
{
	const struct jsonschema_options options = { .assert_format = assert_format };
	jsonschema_registry_auto *registry = jsonschema_registry_new();
	struct jsonschema_error error = { 0 };
	struct jsonschema *schema = NULL;
	json_error_t syntax;
	json_auto_t *json = json_load_file(file, 0, &syntax);

	if (!json)
		complain(file, syntax.text);
	else if (jsonschema_registry_add(registry, uri, json, &error))
		schema = jsonschema_compile(registry, uri, &options, &error);
	if (!schema)
		complain(error.where, error.what);
	return schema;
}

int main(int argc, char **argv)
{
	json_t *instances[MOST] = { NULL };
	json_auto_t *verdicts = json_array();
	size_t count = 0;

	if (argc < 4 || argc - 3 > MOST)
		return complain("usage", "driver annotate|assert SCHEMA INSTANCE...");
	jsonschema_auto *schema = compile(argv[2], strcmp(argv[1], "assert") == 0);
	if (!schema)
		return 1;
	for (int i = 3; i < argc; i++) {
		json_error_t syntax;

		instances[count] = json_load_file(argv[i], 0, &syntax);
		if (!instances[count])
			return complain(argv[i], syntax.text);
		json_array_append_new(verdicts, json_boolean(jsonschema_validate(
							schema, instances[count], NULL, NULL)));
		count++;
	}
	json_dumpf(verdicts, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	take_turns(schema, instances, count);
	while (count > 0)
		json_decref(instances[--count]);
	return 0;
}
