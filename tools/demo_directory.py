#!/usr/bin/env python3
"""Writes sql/seed/directory.sql: an invented directory of 258 services and 150 leaflets, the same at every run.

Nobody and nothing in it is real but the towns and boroughs; telephone numbers are from Ofcom's range for drama, addresses on the
web from example.org, and postcodes end in letters that Royal Mail does not use.
"""
import json
import pathlib
import random

OUT = pathlib.Path(__file__).resolve().parents[1] / "sql" / "seed" / "directory.sql"
SUFFOLK, ISLINGTON, CAMDEN = "E10000029", "E09000019", "E09000007"
# town: council, district, latitude, longitude, outward codes, how many services
TOWNS = {
    "Lowestoft": (SUFFOLK, "E07000244", 52.4760, 1.7430, ("NR32", "NR33"), 74), "Halesworth": (SUFFOLK, "E07000244", 52.3440, 1.5020, ("IP19",), 34),
    "Southwold": (SUFFOLK, "E07000244", 52.3270, 1.6790, ("IP18",), 28), "Islington": (ISLINGTON, "E09000019", 51.5416, -0.1022, ("N1", "N7"), 62),
    "Camden": (CAMDEN, "E09000007", 51.5390, -0.1426, ("NW1", "NW5"), 60),
}
# support area: names ({0}: the town), what is done
KINDS = {
    "sitting_service": (["{0} Sitting Service", "Time Out Sitters of {0}"], "A trained sitter stays with the person you care for while you go out."),
    "respite_break": (["{0} Carers' Breaks", "Weekend Respite {0}"], "Short breaks, by the hour or for a few days, planned with you."),
    "transport": (["{0} Community Transport", "{0} Dial-a-Ride", "Lifts to Hospital, {0}"], "Volunteer drivers take you to appointments, shops and friends."),
    "wraparound": (["Door to Door {0}"], "Help to get ready, to leave the house and to settle again afterwards."),
    "befriending": (["{0} Befrienders", "Telephone Friends {0}"], "Somebody visits or calls every week, for company and a chat."),
    "peer_support": (["{0} Carers' Cafe", "{0} Carers' Group", "Men Who Care, {0}"], "Meet other carers over tea, share what works, hear what is on."),
    "counselling": (["{0} Listening Room", "Talking Space {0}"], "One-to-one sessions with trained counsellors, for carers and former carers."),
    "advice": (["{0} Carers' Advice", "{0} Information Point", "Know Your Rights {0}"], "Free and independent advice on assessments, services and rights."),
    "benefits": (["{0} Welfare Rights", "Money Matters {0}"], "Help with claims and appeals, debt and grants for carers."),
    "advocacy": (["{0} Advocacy"], "Somebody at your side in meetings and decisions."),
    "dementia": (["{0} Memory Cafe", "Singing Together {0}", "Living with Dementia {0}"], "For people who live with dementia and those who care for them."),
    "day_centre": (["{0} Day Club", "The Lunch Table, {0}"], "A day of company, lunch and activities, with personal care where it is needed."),
    "meals": (["{0} Meals at Home", "{0} Food Share"], "Hot meals to the door, and help with shopping."),
    "home_help": (["{0} Handy Helpers", "{0} Garden Volunteers"], "Small repairs, gardening and cleaning by people who were checked."),
    "personal_care": (["{0} Home Care Cooperative"], "Help with washing, dressing and medicines at home."),
    "equipment": (["{0} Mobility Loans", "Safe at Home {0}"], "Wheelchairs and aids to borrow, alarms and small adaptations."),
    "health_activity": (["{0} Gentle Movement", "Walk and Talk {0}", "Swim for Carers {0}"], "Exercise at your own pace, with time to talk."),
    "arts_leisure": (["{0} Community Choir", "{0} Craft Table"], "Sing, make and laugh together. No experience is needed."),
    "training": (["{0} Carer Training"], "Courses on moving safely, first aid and understanding a condition."),
    "work_education": (["{0} Working Carers' Network"], "Staying in work or going back to it while you care."),
    "young_carers": (["{0} Young Carers"], "For children and young people who look after somebody at home."),
    "parent_carers": (["{0} Parent Carers' Forum"], "For parents of children with disabilities or additional needs."),
    "mental_health": (["{0} Minds Together"], "Support for people with poor mental health and for their families."),
    "end_of_life": (["{0} Hospice Companions", "Bereavement Circle {0}"], "Company and support in the last months, and after a loss."),
    "digital": (["{0} Tablet Tuesdays"], "Get online with patient volunteers; tablets to borrow."),
}
ORGANISATIONS = ["{0} Neighbours", "{0} Carers Together", "{0} Volunteer Centre", "St Brannock's Church {0}", "{0} Community Trust", "Harbour Care {0}"]
TYPES = ["community", "voluntary", "volunteer", "faith", "voluntary", "social_enterprise"]
STREETS = ["High Street", "Station Road", "Church Lane", "Market Place", "Mill Road", "Quay Street", "Chapel Street", "The Green"]
VENUES = ["Community Hall", "Library", "Church Rooms", "Health Centre", "Old School", "Family Hub"]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
LANGUAGES = [["en"]] * 6 + [["en", "pl"], ["en", "pt"], ["en", "bn"], ["en", "so"]]
LEAFLETS = ["A carer's first steps", "Breaks: what there is", "When you cannot care: make a plan", "Carers and work", "Money for carers",
            "Going into hospital, coming out again", "Looking after your back", "Dementia: a guide for families", "Young carers: you are not alone",
            "Who is who in {0}"]


def postcodes(chance):
    """Some twenty for each town."""
    made = {}
    for town, (_, district, lat, lon, outward, _) in TOWNS.items():
        for number in range(20):
            text = f"{outward[number % len(outward)]} {number % 10}{'CIKMOV'[number % 6]}{'CIKMOV'[number // 6 % 6]}"
            made[text] = (town, district, round(lat + chance.uniform(-0.012, 0.012), 5), round(lon + chance.uniform(-0.018, 0.018), 5))
    return made


def hours(chance):
    """An RFC 5545 rule, and the minutes of the week that it is open."""
    days = sorted(chance.sample(range(5 if chance.random() < 0.8 else 7), chance.choice([1, 1, 2, 5])))
    opens, closes = chance.choice([(9, 17), (10, 12), (10, 15), (13, 16), (18, 20)])
    item = {"freq": "WEEKLY", "byday": ",".join(DAYS[day] for day in days), "opens_at": f"{opens:02}:00", "closes_at": f"{closes:02}:00"}
    return item, "{" + ",".join(f"[{day * 1440 + opens * 60},{day * 1440 + closes * 60})" for day in days) + "}"


def service(chance, number, town, area, places):
    names, text = KINDS[area]
    organisation = chance.randrange(len(ORGANISATIONS))
    item, weekly = hours(chance)
    postcode = chance.choice([code for code, place in places.items() if place[0] == town])
    name = names[number % len(names)].format(town)
    document = {
        "external_id": f"DEMO-{number:03}", "name": name, "description": f"{text} {chance.choice(['We cover', 'Open to people in', 'For'])} {town} and the villages around it."
        if TOWNS[town][0] == SUFFOLK else f"{text} For everybody who lives in {town}.",
        "website": f"https://example.org/{town.lower()}/{number}", "email": f"hello{number}@example.org",
        "support_areas": [area] + ([chance.choice(sorted(KINDS))] if chance.random() < 0.35 else []),
        "access_routes": chance.sample(["self_referral", "telephone", "drop_in", "professional_referral", "online"], chance.choice([1, 2, 3])),
        "cost": {"free": True} if chance.random() < 0.7 else {"free": False, "amount_pence": chance.choice([200, 350, 500, 1200]), "text": "for each session"},
        "eligibility": {"for": chance.choice(["carers", "both", "cared_for", "anyone"]), **({"minimum_age": 18} if chance.random() < 0.6 else {})},
        "languages": chance.choice(LANGUAGES), "referral_accepting": chance.random() < 0.5, "capacity": chance.choice(["yes", "yes", "waitlist", "no"]),
        "schedule": [item], "contacts": [{"name": "Enquiries", "phones": [{"number": f"01632 960{number:03}"}]}],
        "locations": [{"kind": "physical", "name": f"{town} {chance.choice(VENUES)}", "postcode": postcode,
                       "address": {"line_1": f"{chance.randrange(1, 90)} {chance.choice(STREETS)}", "town": town}}],
        "areas_served": [TOWNS[town][1], town],
        "organization": {"name": ORGANISATIONS[organisation].format(town), "type": TYPES[organisation],
                         "description": f"Invented for the demonstration: people of {town} who help each other."},
    }
    document["support_areas"] = list(dict.fromkeys(document["support_areas"]))
    return {"line": number, "kind": "service", "ago": int(chance.triangular(1, 260, 30)), "document": document, "hours": {"weekly": weekly, "dated": []}}


def services(chance, places):
    made, number = {}, 0
    for town, (council, *_, count) in TOWNS.items():
        areas = sorted(KINDS)
        for n in range(count):
            number += 1
            made.setdefault(council, []).append(service(chance, number, town, areas[n % len(areas)], places))
    return made


def leaflets(chance):
    for number in range(150):
        town = list(TOWNS)[number % len(TOWNS)]
        title = LEAFLETS[number // len(TOWNS) % len(LEAFLETS)].format(town)
        yield (TOWNS[town][0], f"{title} ({town}, {2024 + number // 50})", f"https://example.org/leaflets/{number + 1}.pdf",
               chance.choice(["en", "en", "en", "pl", "bn"]), chance.choice(sorted(KINDS)), chance.choice([None, 30, 200, 400, -20]))


def literal(value):
    return "NULL" if value is None else str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def main():
    chance = random.Random(20261128)
    places = postcodes(chance)
    lines = ["-- Made by tools/demo_directory.py: an invented directory for ./dev run. Days are counted back from the day that it is loaded.", "",
             "INSERT INTO postcode (postcode, latitude, longitude, district, country) VALUES"]
    lines.append(",\n".join(f"    ('{code}', {lat}, {lon}, '{district}', 'E92000001')" for code, (_, district, lat, lon) in places.items()) +
                 "\nON CONFLICT DO NOTHING;")
    for council, items in services(chance, places).items():
        lines += ["", f"SELECT import_batch('demo', '{council}', jsonb_agg(jsonb_set(i, '{{document,assured_on}}', to_jsonb(today() - (i ->> 'ago')::integer))))",
                  "  FROM jsonb_array_elements($demo$["]
        lines.append(",\n".join(json.dumps(item, ensure_ascii=False) for item in items))
        lines.append("]$demo$) AS i;")
    lines += ["", "INSERT INTO leaflet (id, council, title, description, link, language, support_areas, valid_until)",
              "SELECT uuid7(now() - l.n * interval '1 hour'), l.council, l.title, 'Invented for the demonstration.', l.link, l.language, ARRAY[l.support_area],",
              "       today() + l.days", "  FROM (VALUES"]
    lines.append(",\n".join(f"    ({n}, {', '.join(map(literal, row))})" for n, row in enumerate(leaflets(chance), 1)))
    lines += ["  ) AS l(n, council, title, link, language, support_area, days);", ""]
    OUT.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
