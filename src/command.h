/* The commands of the program. Each answers with the exit code: 0 good, 1 failed, 2 wrong use, 78
 * wrong configuration. */
#pragma once

#include "base/settings.h"

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USE = 2, EXIT_CONFIG = 78 };

struct command_line {
	const struct settings *settings;
	int count;    /* what follows the command, less --settings FILE */
	char **words; /* borrowed */
};

int command_import(const struct command_line *line);
int command_serve(const struct command_line *line);
int command_token(const struct command_line *line);
int command_validate(const struct command_line *line);

/* One sentence on standard error; a contract_fault_fn and a settings_fault_fn. */
void command_complain(void *context, const char *sentence);
