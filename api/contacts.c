/* Contacts: every time that a service and a carer spoke or wrote to each other. */
#include "base/uuid.h"
#include "call/call.h"
#include "modules.h"
#include "queries.h"

static bool create_contact(struct call *c)
{
	const char *carer = call_path(c, "carer_id");
	char id[UUID_TEXT];
	db_rows_auto *rows = NULL;

	uuid_make(id);
	return db_queue(c->tx, Q_CONTACT_RECORD(carer, id, call_body(c)), &c->problem) &&
	       db_last(c->tx, Q_CONTACT_BY_ID(carer, id), &rows, &c->problem) &&
	       call_created(c, id, rows);
}

static bool list_contacts(struct call *c)
{
	return call_list_of(c,
	                    Q_CONTACTS_OF_CARER(call_path(c, "carer_id"), call_query(c, "limit"),
	                                        call_query(c, "cursor"),
	                                        call_query(c, "updated_since"),
	                                        call_query(c, "channel"), call_query(c, "reason"),
	                                        call_query(c, "outcome")),
	                    "no carer has this id");
}

static bool get_contact(struct call *c)
{
	return call_answer(c, Q_CONTACT_READ(call_path(c, "carer_id"), call_path(c, "contact_id")),
	                   "no contact with this carer has this id");
}

static const struct operation contacts[] = {
	{ "createContact", create_contact },
	{ "listContacts", list_contacts },
	{ "getContact", get_contact },
};
MODULE(contacts);
