/* What every call of one running service shares. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/problem.h"

struct buf;
struct contract;
struct db_migrations;
struct db_pool;
struct page;

struct service {
	const struct contract *contract;
	struct db_pool *pool;
	const struct db_migrations *migrations;
	const char *base_url; /* "" or the public URL without a slash at its end */
	const char *contract_json, *contract_yaml; /* the bundled document, as served */
	size_t contract_json_size, contract_yaml_size;
	const char *contract_version; /* of its bytes */
	const struct page *pages;     /* of /docs */
	size_t page_count;
	char idempotency_hours[8];
	bool webhook_allow_private;
	/* Writes the metrics in Prometheus' text format. */
	bool (*metrics)(void *context, struct buf *text);
	void *metrics_context;
};
