"""Everybody who might ask about one carer: her council, an organisation that may see her, the others, and she herself."""
from support.tokens import CAMDEN, ISLINGTON, PERSON

NOBODY = "0195e6a0-0000-7000-8000-000000000001"
AUDIT = PERSON + " audit:read"  # enough for every operation on a carer: what refuses is then never the scope
CALLERS = {
    "her council": lambda w: {"role": "practitioner", "council": ISLINGTON},
    "her council's administrator": lambda w: {"role": "council_admin", "council": ISLINGTON},
    "another council": lambda w: {"role": "practitioner", "council": CAMDEN},
    "another council's administrator": lambda w: {"role": "council_admin", "council": CAMDEN},
    "her support worker": lambda w: {"role": "support_worker", "org": w.org},
    "her assessor": lambda w: {"role": "assessor", "org": w.org},
    "her in-reach team": lambda w: {"role": "hospital_in_reach", "org": w.org},
    "her breaks provider": lambda w: {"role": "break_provider", "org": w.org},
    "another organisation": lambda w: {"role": "support_worker", "org": w.other_org},
    "another in-reach team": lambda w: {"role": "hospital_in_reach", "org": w.other_org},
    "herself": lambda w: {"role": "carer", "carer": w.carer["id"]},
    "another carer": lambda w: {"role": "carer", "carer": w.other_carer["id"]},
    "a commissioner": lambda w: {"role": "commissioner", "council": ISLINGTON},
    "a directory editor": lambda w: {"role": "directory_editor", "council": ISLINGTON},
    "a referrer": lambda w: {"role": "referrer", "org": w.org},
    "a listed organisation": lambda w: {"role": "vcfse_editor", "org": w.org},
}


class World:
    """A carer of Islington, `org` with access to her, `other_org` without (it works in Islington too), `other_carer`."""

    def __init__(self, api, carer, organisation, grant):
        self.api = api
        self.carer, self.other_carer = carer(), carer()
        self.org, self.other_org = organisation(), organisation()
        self.path = f"/v1/carers/{self.carer['id']}"
        grant(self.carer["id"], self.org)

    def ask(self, caller, method, path="", **options):
        """Asks below the carer's path as one of CALLERS; a path that begins with /v1 is taken as it is."""
        claims = {"scope": AUDIT, **CALLERS[caller](self)}
        return self.api.request(method, path if path.startswith("/v1") else self.path + path, **{**claims, **options})


def answer(response):
    """What came back in one word: the status of a good answer, the slug of a problem."""
    if response.status_code < 400:
        return str(response.status_code)
    return response.json()["type"].rsplit("/", 1)[1]
