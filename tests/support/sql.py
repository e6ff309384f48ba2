"""The service's SQL as the service runs it: named queries, under a caller's claims."""
import itertools
import json
import pathlib

import sqlgen

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUERIES = {query.name: query for file in sorted((ROOT / "sql" / "queries").glob("*.sql")) if file.stem != "session"
           for query in sqlgen.read(file)}
ISLINGTON, ESSEX = "E09000019", "E10000012"
CLASSES = {"council_admin": "carers_council", "practitioner": "carers_council", "commissioner": "carers_desk",
           "directory_editor": "carers_desk", "assessor": "carers_partner", "support_worker": "carers_partner",
           "hospital_in_reach": "carers_partner", "break_provider": "carers_partner", "referrer": "carers_desk",
           "vcfse_editor": "carers_desk", "carer": "carers_self", "": "carers_public"}
CLAIMS = ("role", "councils", "org", "carer", "subject", "client", "operation", "request", "target", "if_match")
_serial = itertools.count(1)


class Session:
    """A transaction of the service under a caller's claims; the statements are prepared as libpq prepares them."""

    def __init__(self, connection):
        self.connection, self.cursor = connection, connection.cursor()

    def take_on(self, role, councils=(), **claims):
        values = {"subject": f"{role or 'public'}@example.org", **claims, "role": role,
                  "councils": "{" + ",".join(councils) + "}"}
        for name in CLAIMS:
            self.cursor.execute("SELECT set_config(%s, %s, true)", (f"app.{name}", str(values.get(name) or "")))
        self.cursor.execute("SELECT set_config('role', %s, true)", (CLASSES[role],))

    def sql(self, text, *arguments):
        self.cursor.execute(text, arguments or None)
        return self.cursor.fetchall() if self.cursor.description else None

    def execute(self, name, *arguments, explain=""):
        """EXECUTE of a named query; it is planned without its values, as the service's sessions do."""
        query = QUERIES[name]
        assert len(arguments) == len(query.parameters), name
        statement = f"{name}_{next(_serial)}"
        self.cursor.execute(f"PREPARE {statement} AS {query.sql()}")
        values = ", ".join(self.cursor.mogrify("%s", (None if a is None else str(a),)).decode() for a in arguments)
        return self.sql(f"{explain}EXECUTE {statement}" + (f"({values})" if arguments else ""))

    def body(self, name, *arguments):
        """The `body` of the answer's first row as JSON, None without rows."""
        rows = self.execute(name, *arguments)
        return json.loads(rows[0][0]) if rows else None


def new_id():
    """A UUID that comes after all that were made before, as version 7 does."""
    return f"019a98d2-cd00-7000-8000-{next(_serial):012d}"


def carer_body(council=ISLINGTON, **members):
    serial = next(_serial)
    body = {"council": council, "given_name": f"Given{serial}", "family_name": f"Family{serial}",
            "identification": {"source": "self"}, **members}
    return {name: value for name, value in body.items() if value is not None}
