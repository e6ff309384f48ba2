"""Entries of the directory for tests: bodies, and the paths below which they stand."""
import itertools

from support.tokens import CAMDEN, ISLINGTON

_serial = itertools.count(1)
SERVICES, ORGANISATIONS = "/v1/directory/services", "/v1/directory/organisations"
EDITOR = {"role": "directory_editor", "council": ISLINGTON}
OTHER_EDITOR = {"role": "directory_editor", "council": CAMDEN}
ADMIN = {"role": "council_admin", "council": ISLINGTON}
STAFF = {"role": "practitioner", "council": ISLINGTON}
POSTCODES = {"NR32 1XX": (52.4811, 1.7534), "NR32 9XX": (52.5000, 1.7400), "IP19 8XX": (52.3444, 1.5014), "IP18 6XX": (52.3270, 1.6800)}


def organisation_body(**members):
    return {"council": ISLINGTON, "name": f"Organisation {next(_serial)}", "type": "community", "description": "Invented.", **members}


def service_body(organisation_id, **members):
    body = {"organisation_id": organisation_id, "name": f"Service {next(_serial)}", "description": "Invented words.", **members}
    return {name: value for name, value in body.items() if value is not None}


def place(postcode="NR32 1XX", **members):
    return {"kind": "physical", "postcode": postcode, "address": {"town": "Lowestoft"}, **members}
