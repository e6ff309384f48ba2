/* The whole service, built from its settings and taken down in reverse. */
#pragma once

#include "base/problem.h"
#include "base/settings.h"
#include "contract/document.h"
#include "http/server.h"

struct app;

/* The contract and its bindings alone: what can be wrong without a database. NULL after at least
 * one fault. */
struct contract *app_contract(contract_fault_fn *fault, void *context, handler_fn ***ret_handlers);

/* The keys, the issuer and the TLS files: what else can be wrong before a database is asked. */
must_check bool app_check(const struct settings *settings, contract_fault_fn *fault, void *context);

/* Everything up to the listening server. The settings are borrowed. */
must_check bool app_start(const struct settings *settings, contract_fault_fn *fault, void *context,
                          struct app **ret_app);
unsigned app_port(const struct app *app);
/* SIGHUP: keys are read again. */
void app_reload(struct app *app);
/* At the start and once in a while: what has expired is thrown away, what began or ended by the
 * clock is told of, the audit trail has its next months. */
void app_tidy(struct app *app);
/* Finishes what runs, refuses what comes, then closes. */
void app_stop(struct app *app, unsigned drain_s);
