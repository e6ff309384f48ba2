/* The whole service, built from its settings and taken down in reverse. */
#include "app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "db/migrate.h"
#include "db/pool.h"
#include "db/tx.h"
#include "embedded.h"
#include "hours.h"
#include "import_thread.h"
#include "migrations.h"
#include "modules.h"
#include "pages.h"
#include "queries.h"
#include "webhook/dispatcher.h"

struct app {
	const struct settings *settings;
	struct contract *contract;
	handler_fn **handlers;
	struct db_pool *pool;
	struct keys *keys;
	struct tokens *tokens;
	struct limits *limits;
	struct metrics *metrics;
	struct service service;
	struct host host;
	struct import_thread *imports;
	struct server *server;
	struct dispatcher *dispatcher;
	struct proxies proxies;
	char *certificate, *key;
};

struct contract *app_contract(contract_fault_fn *fault, void *context, handler_fn ***ret_handlers)
{
	struct contract *contract =
		contract_load(contract_json, contract_json_size, fault, context);

	if (!contract)
		return NULL;
	*ret_handlers = bind_operations(contract, modules, fault, context);
	if (*ret_handlers)
		return contract;
	contract_free(contract);
	return NULL;
}

static bool write_pool(struct db_pool_state s, struct buf *text)
{
	return buf_addf(text,
	                "# TYPE carers_database_sessions "
	                "gauge\ncarers_database_sessions{state=\"open\"} %u\n"
	                "carers_database_sessions{state=\"busy\"} "
	                "%u\ncarers_database_sessions{state=\"wanted\"} %u\n"
	                "# TYPE carers_database_borrowed_total "
	                "counter\ncarers_database_borrowed_total %llu\n"
	                "# TYPE carers_database_timeouts_total "
	                "counter\ncarers_database_timeouts_total %llu\n"
	                "# TYPE carers_database_reconnects_total "
	                "counter\ncarers_database_reconnects_total %llu\n",
	                s.open, s.busy, s.waiting, (unsigned long long)s.borrowed,
	                (unsigned long long)s.timeouts, (unsigned long long)s.reconnects);
}

static bool write_tokens(struct tokens_state s, struct buf *text)
{
	return buf_addf(text,
	                "# TYPE carers_token_cache_total "
	                "counter\ncarers_token_cache_total{result=\"hit\"} %llu\n"
	                "carers_token_cache_total{result=\"miss\"} %llu\n"
	                "# TYPE carers_token_cache_size gauge\ncarers_token_cache_size %zu\n",
	                (unsigned long long)s.hits, (unsigned long long)s.misses, s.cached);
}

static bool write_webhooks(struct dispatcher_state s, struct buf *text)
{
	return buf_addf(text,
	                "# TYPE carers_webhook_attempts_total "
	                "counter\ncarers_webhook_attempts_total{result=\"delivered\"} %llu\n"
	                "carers_webhook_attempts_total{result=\"failed\"} %llu\n"
	                "# TYPE carers_webhook_under_way gauge\ncarers_webhook_under_way %u\n",
	                (unsigned long long)s.delivered, (unsigned long long)s.failed, s.under_way);
}

static bool write_metrics(void *context, struct buf *text)
{
	const struct app *app = context;

	return metrics_write(app->metrics, text) && write_pool(db_pool_state(app->pool), text) &&
	       write_tokens(tokens_state(app->tokens), text) &&
	       (!app->dispatcher || write_webhooks(dispatcher_state(app->dispatcher), text));
}

static bool complain(contract_fault_fn *fault, void *context, const struct problem *p)
{
	fault(context, p->detail);
	return false;
}

static bool open_auth(struct app *app, struct problem *p)
{
	const struct settings *s = app->settings;
	const struct keys_config keys = { .files = s->key_files,
		                          .jwks = s->jwks,
		                          .refresh_s = (unsigned)s->jwks_refresh_s };
	const struct tokens_config tokens = {
		.issuer = s->issuer,
		.audience = s->audience,
		.skew_s = (unsigned)s->clock_skew_s,
		.mfa_roles = s->mfa_roles,
		.cache = s->token_cache,
	};

	if (!*s->issuer)
		return problem(p, PROBLEM_UNAVAILABLE,
		               "CARERS_ISSUER is empty: no token could be good");
	if (!tokens_roles_known(s->mfa_roles))
		return problem(p, PROBLEM_UNAVAILABLE,
		               "CARERS_MFA_ROLES names a role that no token may carry");
	if (!keys_open(&keys, &app->keys, p))
		return false;
	if (keys_count(app->keys) == 0 && !*s->jwks)
		return problem(
			p, PROBLEM_UNAVAILABLE,
			"CARERS_KEY_FILES and CARERS_JWKS are empty: no token could be good");
	app->tokens = tokens_new(&tokens, app->keys);
	return app->tokens || problem(p, PROBLEM_UNAVAILABLE, "no memory for the tokens");
}

/* A database of another version is refused; one that does not answer yet is waited for, behind 503
 * and /readyz. */
static bool open_database(struct app *app, struct problem *p)
{
	const struct settings *s = app->settings;
	const struct db_config config = {
		.conninfo = s->database,
		.sessions = settings_sessions(s),
		.wait_ms = (unsigned)s->session_wait_ms,
		.statement_timeout_ms = (unsigned)s->statement_timeout_ms,
	};

	if (!db_migrated(s->database, &migrations, p) && p->code != PROBLEM_UNAVAILABLE)
		return false;
	problem_done(p);
	app->pool = db_pool_new(&config);
	return app->pool || problem(p, PROBLEM_UNAVAILABLE, "no memory for the database pool");
}

static bool read_pem(const char *path, char **ret_text, struct problem *p)
{
	if (!*path)
		return true;
	*ret_text = text_file(path, 256 * KIB, NULL);
	return *ret_text || problem(p, PROBLEM_UNAVAILABLE, "%s cannot be read", path);
}

static bool open_tls(struct app *app, struct problem *p)
{
	const struct settings *s = app->settings;

	if (!*s->tls_certificate != !*s->tls_key)
		return problem(p, PROBLEM_UNAVAILABLE,
		               "TLS wants both CARERS_TLS_CERTIFICATE and CARERS_TLS_KEY");
	return read_pem(s->tls_certificate, &app->certificate, p) &&
	       read_pem(s->tls_key, &app->key, p);
}

static bool open_proxies(struct app *app, struct problem *p)
{
	return proxies_read(app->settings->trusted_proxies, &app->proxies, p);
}

static bool open_server(struct app *app, struct problem *p)
{
	const struct settings *s = app->settings;
	const struct server_config config = {
		.address = s->host,
		.port = (unsigned)s->port,
		.workers = (unsigned)s->workers,
		.connections = (unsigned)s->connections,
		.connections_per_address = (unsigned)s->connections_per_address,
		.client_timeout_s = (unsigned)s->client_timeout_s,
		.body_limit = contract_body_limit(app->contract) > s->body_limit
		                      ? contract_body_limit(app->contract)
		                      : s->body_limit,
		.certificate = app->certificate,
		.key = app->key,
	};

	return server_start(&config, &app->host, &app->server, p);
}

static bool start_dispatcher(struct app *app, struct problem *p)
{
	const struct settings *s = app->settings;
	const struct dispatcher_config config = {
		.poll_ms = (unsigned)s->webhook_poll_ms,
		.timeout_ms = (unsigned)s->webhook_timeout_ms,
		.retry_ms = (unsigned)s->webhook_retry_ms,
		.give_up_s = (unsigned)s->webhook_give_up_s,
		.allow_private = s->webhook_allow_private,
		.ca_file = s->webhook_ca_file,
	};

	return !s->webhooks || dispatcher_start(&config, app->pool, &app->dispatcher, p);
}

static void describe(struct app *app)
{
	const struct settings *s = app->settings;

	app->service = (struct service){
		.contract = app->contract,
		.pool = app->pool,
		.migrations = &migrations,
		.base_url = s->base_url,
		.contract_json = contract_json,
		.contract_json_size = contract_json_size,
		.contract_yaml = contract_yaml,
		.contract_yaml_size = contract_yaml_size,
		.contract_version = contract_json_version,
		.pages = pages,
		.page_count = page_count,
		.metrics = write_metrics,
		.metrics_context = app,
		.webhook_allow_private = s->webhook_allow_private,
	};
	snprintf(app->service.idempotency_hours, sizeof app->service.idempotency_hours, "%llu",
	         (unsigned long long)s->idempotency_hours);
	app->host = (struct host){
		.service = &app->service,
		.handlers = app->handlers,
		.tokens = app->tokens,
		.limits = app->limits,
		.metrics = app->metrics,
		.body_limit = s->body_limit,
		.cors_origins = s->cors_origins,
		.proxies = app->proxies,
		.tls = *s->tls_certificate != '\0',
		.check_responses = s->check_responses,
	};
}

static bool build(struct app *app, contract_fault_fn *fault, void *context)
{
	problem_auto p = { 0 };

	app->contract = app_contract(fault, context, &app->handlers);
	if (!app->contract)
		return false;
	if (!app->settings->check_responses)
		contract_forget_promises(app->contract);
	if (!open_auth(app, &p) || !open_tls(app, &p) || !open_proxies(app, &p) ||
	    !open_database(app, &p))
		return complain(fault, context, &p);
	app->limits = limits_new(app->settings->rate_per_minute);
	app->metrics = metrics_new(app->contract);
	if (!app->limits || !app->metrics) {
		problem(&p, PROBLEM_UNAVAILABLE, "no memory");
		return complain(fault, context, &p);
	}
	app->imports = import_thread_start(app->contract, app->pool, app->settings->database);
	if (!app->imports) {
		problem(&p, PROBLEM_UNAVAILABLE, "no memory, or no thread, for imports");
		return complain(fault, context, &p);
	}
	describe(app);
	return (start_dispatcher(app, &p) && open_server(app, &p)) || complain(fault, context, &p);
}

bool app_check(const struct settings *settings, contract_fault_fn *fault, void *context)
{
	struct app app = { .settings = settings };
	problem_auto p = { 0 };
	bool good = open_auth(&app, &p) || complain(fault, context, &p);

	problem_done(&p);
	good = (open_tls(&app, &p) || complain(fault, context, &p)) && good;
	problem_done(&p);
	good = (open_proxies(&app, &p) || complain(fault, context, &p)) && good;
	tokens_free(app.tokens);
	keys_close(app.keys);
	free(app.certificate);
	free(app.key);
	return good;
}

bool app_start(const struct settings *settings, contract_fault_fn *fault, void *context,
               struct app **ret_app)
{
	struct app *app = calloc(1, sizeof *app);

	if (!app)
		return false;
	app->settings = settings;
	if (!build(app, fault, context)) {
		app_stop(app, 0);
		return false;
	}
	*ret_app = app;
	return true;
}

unsigned app_port(const struct app *app) { return server_port(app->server); }

void app_reload(struct app *app)
{
	problem_auto p = { 0 };

	if (keys_reload(app->keys, &p))
		log_event(LOG_INFO, "keys-read", NULL);
	else
		log_event(LOG_ERROR, "keys-not-read", "reason", p.detail, NULL);
}

/* One kind of housekeeping, in a transaction of its own: what fails in it stays undone till next
 * time. */
static void tidy(struct app *app, struct db_call work)
{
	const struct db_claims nobody = { .operation = "tidy" };
	problem_auto p = { 0 };
	db_tx_auto *tx = NULL;
	db_rows_auto *rows = NULL;

	if (!db_begin(app->pool, &nobody, DB_WRITE, false, &tx, &p) ||
	    !db_last(tx, work, &rows, &p))
		log_event(LOG_WARNING, "tidy-failed", "problem", problem_kind(p.code)->slug, NULL);
}

static void tidy_hours(struct app *app)
{
	problem_auto p = { .code = PROBLEM_NONE };

	if (!hours_renew(app->pool, &p))
		log_event(LOG_WARNING, "tidy-failed", "problem", problem_kind(p.code)->slug, NULL);
}

void app_tidy(struct app *app)
{
	tidy(app, Q_IDEMPOTENCY_SWEEP(app->service.idempotency_hours));
	tidy(app, Q_ACCESS_SWEEP());
	tidy(app, Q_AUDIT_PREPARE("3"));
	tidy(app, Q_WEBHOOK_SWEEP("30"));
	tidy_hours(app);
}

void app_stop(struct app *app, unsigned drain_s)
{
	if (app->server)
		server_drain(app->server, drain_s);
	server_stop(app->server);
	dispatcher_stop(app->dispatcher);
	import_thread_stop(app->imports);
	metrics_free(app->metrics);
	limits_free(app->limits);
	if (app->pool)
		db_pool_free(app->pool);
	tokens_free(app->tokens);
	keys_close(app->keys);
	free(app->handlers);
	contract_free(app->contract);
	free(app->certificate);
	free(app->key);
	free(app);
}
