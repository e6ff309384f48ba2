/* Private to the contract: what its loaders share. */
#pragma once

#include "contract/document.h"
#include "contract/routes.h"

/* A place in the document, with the JSON pointer that leads there. */
enum { SPOT_POINTER = 512 };
struct spot {
	json_t *json;
	char pointer[SPOT_POINTER];
};

/* A compiled schema, and where it stands. */
struct compiled {
	const json_t *json;
	struct jsonschema *schema;
};

struct loader {
	struct contract *contract; /* the owner of what is compiled */
	json_t *document;
	struct jsonschema_registry *registry;
	contract_fault_fn *report;
	void *context;
	bool failed;
};

struct contract {
	json_t *document;
	struct endpoint *endpoints;
	size_t count;
	struct routes *routes;
	struct compiled *compiled;
	size_t compiled_count;
};

/* Reports a fault and returns false. `at` may be NULL. */
bool loader_fault(struct loader *l, const struct spot *at, const char *fmt, ...) printf_like(3, 4);
/* The member, with every $ref on the way followed. False when it is absent (no fault) or a $ref
 * leads nowhere (fault). */
must_check bool spot_child(struct loader *l, const struct spot *from, const char *token,
                           struct spot *ret_spot);
/* The member as it stands. False when it is absent. */
must_check bool spot_member(const struct spot *from, const char *token, struct spot *ret_spot);
/* The array's item as it stands. False when it is absent. */
must_check bool spot_item(const struct spot *from, size_t index, struct spot *ret_spot);
/* Follows a $ref if the spot is one. */
must_check bool spot_follow(struct loader *l, struct spot *spot);

/* The schema at the spot, compiled strictly with formats asserted; the contract keeps it, one for
 * all who refer to it. NULL after a fault. */
struct jsonschema *load_schema(struct loader *l, const struct spot *schema);
bool load_parameters(struct loader *l, const struct spot *path_item, const struct spot *operation,
                     struct endpoint *endpoint);
bool load_security(struct loader *l, const struct spot *operation, struct endpoint *endpoint);
bool load_roles(struct loader *l, const struct spot *operation, struct endpoint *endpoint);
bool load_cost(struct loader *l, const struct spot *operation, struct endpoint *endpoint);
/* After load_bodies: a rule without a body would be kept by nobody. */
bool load_rule(struct loader *l, const struct spot *operation, struct endpoint *endpoint);
/* After load_bodies and load_parameters: what is safe, and has a body to ask with. */
bool load_query(struct loader *l, const struct spot *operation, struct endpoint *endpoint);
/* After load_bodies: so many bytes of what? */
bool load_body_limit(struct loader *l, const struct spot *operation, struct endpoint *endpoint);
/* Request body and responses: schemas, media types, examples. */
bool load_bodies(struct loader *l, const struct spot *operation, struct endpoint *endpoint);
/* Every schema in components compiles and accepts its own examples. */
void load_components(struct loader *l);
/* The slugs in every x-problem are exactly those of problems.def. */
void check_problems(struct loader *l);
/* `example` and `examples` beside the schema are valid. */
void check_examples(struct loader *l, const struct spot *holder, const struct jsonschema *schema);

/* NULL after a fault: two templates that differ only in names, a template too long. */
struct routes *routes_new(struct loader *l, const struct endpoint *endpoints, size_t count);
void routes_free(struct routes *routes);
