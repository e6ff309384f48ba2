/* carers-api: which command, with which settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "base/json.h"
#include "command.h"
#include "db/migrate.h"
#include "http/probe.h"
#include "migrations.h"

void command_complain(void *context, const char *sentence)
{
	(void)context;
	fprintf(stderr, "carers-api: %s\n", sentence);
}

static int command_version(const struct command_line *line)
{
	(void)line;
	puts("carers-api " CARERS_VERSION);
	return EXIT_GOOD;
}

static void migrated(void *context, const char *name)
{
	(void)context;
	printf("applied %s\n", name);
}

static int command_migrate(const struct command_line *line)
{
	problem_auto p = { 0 };

	if (db_migrate(line->settings->database_owner, &migrations, migrated, NULL, &p))
		return EXIT_GOOD;
	command_complain(NULL, p.detail);
	return EXIT_FAILED;
}

/* All that is wrong, not only the first of it. The settings have been read by now. */
static int command_check(const struct command_line *line)
{
	handler_fn **handlers = NULL;
	bool good = app_check(line->settings, command_complain, NULL);
	struct contract *contract = app_contract(command_complain, NULL, &handlers);

	if (!contract)
		return EXIT_CONFIG;
	if (good)
		printf("settings and contract are good: %zu operations\n",
		       contract_count(contract));
	free(handlers);
	contract_free(contract);
	return good ? EXIT_GOOD : EXIT_CONFIG;
}

/* For containers and supervisors: does the service of these settings answer that it can serve? */
static int command_health(const struct command_line *line)
{
	const struct settings *s = line->settings;
	problem_auto p = { 0 };

	if (s->port == 0) {
		command_complain(NULL, "CARERS_PORT is 0: nobody knows where to ask");
		return EXIT_CONFIG;
	}
	if (probe_ready(s->host, (unsigned)s->port, *s->tls_certificate != '\0', &p))
		return EXIT_GOOD;
	command_complain(NULL, p.detail);
	return EXIT_FAILED;
}

static const struct {
	const char *word;
	int (*run)(const struct command_line *line);
	bool plain; /* needs no settings */
	const char *purpose;
} commands[] = {
	{ "serve", command_serve, false, "serve the API until SIGTERM or SIGINT" },
	{ "migrate", command_migrate, false, "bring the database to this program's version" },
	{ "check", command_check, false, "say all that is wrong with settings and contract" },
	{ "health", command_health, false, "ask the running service whether it can serve" },
	{ "import", command_import, false, "import a file into the directory, or postcodes" },
	{ "token", command_token, false, "mint a development token" },
	{ "validate", command_validate, true,
	  "validate JSON files against a JSON Schema 2020-12 document" },
	{ "version", command_version, true, "print the version" },
};

static int usage(void)
{
	fputs("carers-api COMMAND [--settings FILE] [...]\n", stderr);
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		fprintf(stderr, "  %-8s %s\n", commands[i].word, commands[i].purpose);
	return EXIT_USE;
}

/* Takes --settings FILE out of the words, wherever it stands. */
static const char *take_settings(struct command_line *line)
{
	const char *file = NULL;
	int kept = 0;

	for (int i = 0; i < line->count; i++) {
		if (strcmp(line->words[i], "--settings") == 0 && i + 1 < line->count)
			file = line->words[++i];
		else
			line->words[kept++] = line->words[i];
	}
	line->count = kept;
	return file;
}

static int run(size_t command, struct command_line *line)
{
	static struct settings settings;
	const char *file = take_settings(line);
	int code = EXIT_CONFIG;

	if (commands[command].plain)
		return commands[command].run(line);
	line->settings = &settings;
	if (settings_load(&settings, file, command_complain, NULL))
		code = commands[command].run(line);
	settings_free(&settings);
	return code;
}

int main(int argc, char **argv)
{
	struct command_line line = { .count = argc - 2, .words = argv + 2 };

	json_start();
	for (size_t i = 0; argc > 1 && i < COUNT_OF(commands); i++)
		if (strcmp(commands[i].word, argv[1]) == 0)
			return run(i, &line);
	return usage();
}
