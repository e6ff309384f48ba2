/* Champions: who tells a team of the directory. */
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool reply_champion(struct call *c)
{
	return call_answer(c, Q_CHAMPION_BY_ID(call_path(c, "champion_id")),
	                   "no champion has this id");
}

static bool create_champion(struct call *c)
{
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_CHAMPION_INSERT(id, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_CHAMPION_BY_ID(id), &rows, &c->problem) &&
	       call_created(c, id, rows);
}

static bool list_champions(struct call *c)
{
	return call_list(c, Q_CHAMPIONS(call_query(c, "limit"), call_query(c, "cursor"),
	                                call_query(c, "team"), call_query(c, "active")));
}

static bool update_champion(struct call *c)
{
	return db_queue(c->tx, Q_CHAMPION_PATCH(call_path(c, "champion_id"), call_body(c)),
	                &c->problem) &&
	       reply_champion(c);
}

static const struct operation directory_champions[] = {
	{ "createChampion", create_champion },
	{ "getChampion", reply_champion },
	{ "listChampions", list_champions },
	{ "updateChampion", update_champion },
};
MODULE(directory_champions);
