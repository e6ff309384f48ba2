/* The contract's locks on an operation: all of its scopes, one of its roles. */
#include "call/permission.h"

#include <string.h>

#include "auth/scopes.h"

static bool role_listed(const struct endpoint *endpoint, const char *role)
{
	if (!endpoint->roles[0])
		return true;
	for (size_t i = 0; endpoint->roles[i]; i++)
		if (strcmp(endpoint->roles[i], role) == 0)
			return true;
	return false;
}

enum permission permission_of(const struct principal *who, const struct endpoint *endpoint)
{
	if (endpoint->public || (endpoint->optional && who->anonymous))
		return PERMITTED;
	if (!scopes_cover(who->scope, endpoint->wants))
		return LACKS_SCOPE;
	return role_listed(endpoint, who->role) ? PERMITTED : WRONG_ROLE;
}
