/* Routes: a tree of segments. Literals are tried before the parameter, and a dead end steps back.
 */
#include "contract/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/load.h"

struct node {
	char *literal;      /* NULL for the parameter's node */
	struct node *first; /* its literal children */
	struct node *next;  /* the next child of its parent */
	struct node *any;   /* its parameter child */
	struct route route;
	bool answers;
};

struct routes {
	struct node root;
};

static void node_free(struct node *node)
{
	if (!node)
		return;
	while (node->first) {
		struct node *child = node->first;

		node->first = child->next;
		node_free(child);
	}
	node_free(node->any);
	free(node->literal);
	free(node);
}

static struct node *literal_child(struct node *parent, const char *text, size_t size)
{
	struct node *child = parent->first;

	while (child &&
	       (strlen(child->literal) != size || strncmp(child->literal, text, size) != 0))
		child = child->next;
	if (child)
		return child;
	child = calloc(1, sizeof *child);
	if (!child)
		return NULL;
	child->literal = strndup(text, size);
	child->next = parent->first;
	parent->first = child;
	return child;
}

static struct node *child_for(struct node *parent, const char *text, size_t size)
{
	if (*text != '{')
		return literal_child(parent, text, size);
	if (!parent->any)
		parent->any = calloc(1, sizeof *parent->any);
	return parent->any;
}

static void plant(struct loader *l, struct node *node, const struct endpoint *endpoint)
{
	size_t segments = 0;

	for (const char *at = endpoint->path; *at == '/' && at[1];) {
		size_t size = strcspn(++at, "/");

		node = child_for(node, at, size);
		if (!node || ++segments > ROUTE_SEGMENTS) {
			loader_fault(l, NULL, "the path %s is too long", endpoint->path);
			return;
		}
		at += size;
	}
	if (node->route.by_method[endpoint->method])
		loader_fault(l, NULL, "the path %s matches what %s matches", endpoint->path,
		             node->route.by_method[endpoint->method]->path);
	node->route.by_method[endpoint->method] = endpoint;
	if (endpoint->query)
		node->route.by_method[METHOD_QUERY] = endpoint;
	node->route.slash |= endpoint->slash;
	node->answers = true;
}

struct routes *routes_new(struct loader *l, const struct endpoint *endpoints, size_t count)
{
	struct routes *routes = calloc(1, sizeof *routes);

	if (!routes)
		return NULL;
	for (size_t i = 0; i < count; i++)
		plant(l, &routes->root, &endpoints[i]);
	return routes;
}

void routes_free(struct routes *routes)
{
	if (!routes)
		return;
	while (routes->root.first) {
		struct node *child = routes->root.first;

		routes->root.first = child->next;
		node_free(child);
	}
	node_free(routes->root.any);
	free(routes);
}

static const struct node *descend(const struct node *node, const char *const segments[],
                                  size_t count)
{
	const struct node *found = NULL;

	if (count == 0)
		return node->answers ? node : NULL;
	for (const struct node *child = node->first; child && !found; child = child->next)
		if (strcmp(child->literal, segments[0]) == 0)
			found = descend(child, segments + 1, count - 1);
	if (!found && node->any)
		found = descend(node->any, segments + 1, count - 1);
	return found;
}

const struct route *routes_find(const struct contract *contract, const char *const segments[],
                                size_t count)
{
	const struct node *node = descend(&contract->routes->root, segments, count);

	return node ? &node->route : NULL;
}

void route_allow(const struct route *route, char ret_allow[static ROUTE_ALLOW])
{
	size_t size = (size_t)snprintf(ret_allow, ROUTE_ALLOW, "OPTIONS");

	for (enum method m = 0; m < METHODS; m++)
		if (route->by_method[m] && size < ROUTE_ALLOW)
			size += (size_t)snprintf(ret_allow + size, ROUTE_ALLOW - size, ", %s%s",
			                         method_name(m), m == METHOD_GET ? ", HEAD" : "");
}
