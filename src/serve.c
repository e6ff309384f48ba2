/* `carers-api serve`: runs until SIGTERM or SIGINT; SIGHUP reads the keys again. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "app.h"
#include "base/clock.h"
#include "base/log.h"
#include "command.h"

static sigset_t awaited(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return set;
}

/* Each connection is an open file, and the usual soft limit is 1,024: what we may have, we take. */
static void raise_open_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

/* Answers when the service shall stop. */
static void attend(struct app *app, const sigset_t *set, uint64_t tidy_s)
{
	const struct timespec wait = { .tv_sec = (time_t)tidy_s };

	app_tidy(app);
	for (;;) {
		int signal = sigtimedwait(set, NULL, &wait);

		if (signal == SIGTERM || signal == SIGINT)
			return;
		if (signal == SIGHUP)
			app_reload(app);
		else if (errno == EAGAIN)
			app_tidy(app);
	}
}

int command_serve(const struct command_line *line)
{
	const sigset_t set = awaited();
	struct app *app = NULL;
	char port[8];

	if (line->count > 0) {
		command_complain(NULL, "serve takes no arguments: everything is a setting");
		return EXIT_USE;
	}
	pthread_sigmask(
		SIG_BLOCK, &set,
		NULL); /* before the first thread, so that all of them leave signals to this one */
	signal(SIGPIPE, SIG_IGN);
	raise_open_files();
	mallopt(M_ARENA_MAX, 4); /* 64 workers would have 64 heaps */
	if (!log_open(line->settings->log_level))
		return EXIT_FAILED;
	if (!app_start(line->settings, command_complain, NULL, &app)) {
		log_close();
		return EXIT_CONFIG;
	}
	malloc_trim(0); /* what only the start needed goes back to the system */
	snprintf(port, sizeof port, "%u", app_port(app));
	log_event(LOG_INFO, "ready", "address", line->settings->host, "port", port, "version",
	          CARERS_VERSION, NULL);
	attend(app, &set, line->settings->tidy_s);
	log_event(LOG_INFO, "stopping", NULL);
	app_stop(app, (unsigned)line->settings->drain_s);
	log_event(LOG_INFO, "stopped", NULL);
	log_close();
	return EXIT_GOOD;
}
