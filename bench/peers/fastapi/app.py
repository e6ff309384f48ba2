"""The four operations of ./dev bench peers, as they are usually written with FastAPI, asyncpg and pydantic."""
import contextlib
import json
import os
import pathlib
import time
import uuid
from typing import Annotated

import asyncpg
import jwt
import uuid_utils
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from models import CarerCreate, CarerFilters, DirectorySearch

CONFIG = json.loads(pathlib.Path(os.environ["PEER_CONFIG"]).read_text(encoding="utf-8"))
CONTRACT = json.loads(pathlib.Path(CONFIG["contract"]).read_text(encoding="utf-8"))
KEY = pathlib.Path(CONFIG["key"]).read_text(encoding="ascii")
SQL = CONFIG["statements"]
REMEMBERED = 1000


async def nothing(_connection):
    """All that a transaction sets is its own: a session needs no cleaning, which would be a round trip."""


@contextlib.asynccontextmanager
async def lifespan(app):
    sessions = CONFIG["sessions"] // CONFIG["processes"]
    async with asyncpg.create_pool(host=CONFIG["socket"], user=CONFIG["user"], database=CONFIG["database"], min_size=sessions,
                                   max_size=sessions, server_settings=CONFIG["settings"], reset=nothing) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan, openapi_url=None)


# --- tokens: PyJWT remembers nothing; what it verified is kept here, so that it verifies as seldom as the others

known = {}


class Principal:
    def __init__(self, token):
        claims = jwt.decode(token, KEY, algorithms=["RS256"], issuer=CONFIG["issuer"], audience=CONFIG["audience"],
                            options={"require": ["exp", "sub"]})
        self.expires = claims["exp"]
        self.role = claims["role"]
        self.scopes = set(claims["scope"].split())
        self.claims = (CONFIG["classes"][self.role], self.role, "{" + ",".join(claims.get("councils", ())) + "}", claims.get("org_id", ""),
                       claims.get("carer_id", ""), claims["sub"], claims["client_id"])


def principal(token):
    who = known.get(token)
    if who is None or who.expires <= time.time():
        try:
            who = Principal(token)
        except jwt.PyJWTError as fault:
            raise HTTPException(401, "the token does not verify") from fault
        if len(known) >= REMEMBERED:
            known.clear()
        known[token] = who
    return who


bearer = HTTPBearer()


def permitted(method, path):
    operation = CONTRACT["paths"][path][method]
    scopes, roles = set(operation["security"][-1]["token"]), operation.get("x-roles", ())

    async def check(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]):
        who = principal(credentials.credentials)
        if not scopes <= who.scopes or roles and who.role not in roles:
            raise HTTPException(403, "this operation is not for this token")
        return who
    return Depends(check)


# --- the database: asyncpg knows no pipeline; BEGIN, the claims, each statement and COMMIT are a round trip each

async def transact(request: Request, who, operation, target, kind, *statements):
    async with request.app.state.pool.acquire() as connection:
        async with connection.transaction():
            await connection.fetchval(SQL[kind], *who.claims, operation, str(uuid.uuid4()), target, "")
            for name, *values in statements[:-1]:
                await connection.execute(SQL[name], *values)
            name, *values = statements[-1]
            return await connection.fetchrow(SQL[name], *values)


def answer(body, status=200, **headers):
    """PostgreSQL makes the JSON, as for the service; it is passed on as it is."""
    return Response(body, status, headers, "application/json")


def body_text(model):
    return model.model_dump_json(exclude_unset=True, by_alias=True)


@app.get("/v1/carers/{carer_id}")
async def get_carer(request: Request, carer_id: uuid.UUID, who=permitted("get", "/v1/carers/{carer_id}")):
    found = await transact(request, who, "getCarer", str(carer_id), "claims_noted", ("carer_read", carer_id))
    if found is None:
        raise HTTPException(404, "no carer has this id")
    return answer(found["body"], ETag=f'"v{found["version"]}"')


@app.get("/v1/carers")
async def list_carers(request: Request, filters: Annotated[CarerFilters, Query()], who=permitted("get", "/v1/carers")):
    page = await transact(request, who, "listCarers", "", "claims_noted",
                          ("carers_of_councils", filters.limit, filters.cursor, filters.council, filters.state, filters.source,
                           filters.known_to_social_care))
    return answer(page["body"])


@app.post("/v1/carers")
async def create_carer(request: Request, carer: CarerCreate, allow_duplicate: bool | None = None, who=permitted("post", "/v1/carers")):
    made = str(uuid_utils.uuid7())
    row = await transact(request, who, "createCarer", "", "claims", ("carer_insert", made, body_text(carer), allow_duplicate),
                         ("carer_by_id", made))
    return answer(row["body"], 201, Location=f"/v1/carers/{made}", ETag=f'"v{row["version"]}"')


@app.post("/v1/directory/search")
async def search_directory(request: Request, search: DirectorySearch, who=permitted("post", "/v1/directory/search")):
    page = await transact(request, who, "searchServicesPrivately", "", "claims_noted", ("services_search", body_text(search)))
    return answer(page["body"])
