"""People and tokens, as an owner's screen handles them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.execution import Engine
from domain.model.roles import PERMISSIONS, Permission, Role
from domain.services.callers import authenticate
from domain.services.secret_words import hash_of
from domain.store import people
from domain.store.database import Database
from tests.api.mutations.desk import Desk
from tests.domain.services.rows import NOW
from tests.factories import an_account

SAVE = """
mutation Save($input: SaveUserInput!) { saveUser(input: $input) {
    user { id name email role locale disabled invitedUntil lastSeenAt }
    invitation { secret address until } userErrors { code field message } } }
"""
CREATE = """
mutation Create($input: CreateApiTokenInput!) { createApiToken(input: $input) {
    apiToken { id name role scopes expiresAt revokedAt } token userErrors { code field message } } }
"""
REVOKE = """
mutation Revoke($input: RevokeApiTokensInput!) { revokeApiTokens(input: $input) {
    apiTokens { id revokedAt } userErrors { code field message } } }
"""
PEOPLE = """
{ users(first: 5) { totalCount edges { node { name email disabled } } }
  apiTokens(last: 5) { totalCount edges { node { name role scopes } } } }
"""
MAI = {"name": "Mai", "email": "Mai@example.com", "role": "STAFF", "locale": "EN"}


async def test_someone_new_is_invited(desk: Desk):
    answer = (await desk.execute(SAVE, input=MAI))["saveUser"]

    invitation, user = answer["invitation"], answer["user"]
    assert invitation["address"] == (
        f"https://api.example.com/auth/invitation#{invitation['secret']}"
    )
    until = datetime.fromisoformat(invitation["until"])
    assert timedelta(hours=71) < until - datetime.now(UTC) <= timedelta(hours=72)
    assert datetime.fromisoformat(user.pop("invitedUntil")) == until
    assert {**user, "id": None} == {
        "id": None,
        "name": "Mai",
        "email": "mai@example.com",
        "role": "STAFF",
        "locale": "EN",
        "disabled": False,
        "lastSeenAt": None,
    }
    async with desk.db.connection() as connection:
        assert await people.invited(connection, hash_of(invitation["secret"]))
    assert await desk.operations() == ["CREATE_USER"]


async def test_an_invitation_is_shown_once(desk: Desk):
    """Asked again with its key, the person is answered and the secret is not."""
    first = (await desk.execute(SAVE, input=MAI | {"idempotencyKey": "k"}))["saveUser"]
    again = (await desk.execute(SAVE, input=MAI | {"idempotencyKey": "k"}))["saveUser"]

    assert first["invitation"]
    assert again == {"user": first["user"], "invitation": None, "userErrors": []}


async def test_a_person_is_changed_disabled_and_invited_anew(desk: Desk):
    mai = (await desk.execute(SAVE, input=MAI))["saveUser"]["user"]["id"]

    changed = await desk.execute(SAVE, input={"id": mai, "role": "VIEWER", "locale": None})
    invited = await desk.execute(SAVE, input={"id": mai, "invite": True})
    disabled = await desk.execute(SAVE, input={"id": mai, "disabled": True, "name": None})

    assert changed["saveUser"]["user"]["role"] == "VIEWER"
    assert changed["saveUser"]["user"]["locale"] is None
    assert changed["saveUser"]["invitation"] is None
    assert invited["saveUser"]["invitation"]["secret"].startswith("ri_")
    assert disabled["saveUser"]["user"]["disabled"] is True
    assert disabled["saveUser"]["user"]["name"] == "Mai"
    assert disabled["saveUser"]["user"]["invitedUntil"] is None
    assert await desk.operations() == ["CREATE_USER", "SAVE_USER", "INVITE_USER", "SAVE_USER"]


@pytest.mark.parametrize(
    ("case", "wanted", "error"),
    [
        ("no name", {"email": "a@example.com", "role": "STAFF"}, ("REQUIRED", ["name"])),
        ("no address", {"name": "A", "role": "STAFF"}, ("REQUIRED", ["email"])),
        ("no role", {"name": "A", "email": "a@example.com"}, ("REQUIRED", ["role"])),
        ("a bad address", MAI | {"email": "mai"}, ("INVALID_VALUE", ["email"])),
        ("nobody", {"id": "Tm90aGluZw==", "name": "A"}, ("NOT_FOUND", ["id"])),
    ],
)
async def test_what_is_no_person_is_refused(desk: Desk, case: str, wanted: Any, error: Any):
    before = await desk.everything()
    answer = (await desk.execute(SAVE, input=wanted))["saveUser"]

    [told] = answer["userErrors"]
    assert (told["code"], told["field"]) == error, case
    assert answer["user"] is None
    assert await desk.everything() == before


async def test_the_last_owner_stays(desk: Desk):
    own = desk.id("User", desk.user_id)
    answer = (await desk.execute(SAVE, input={"id": own, "role": "STAFF"}))["saveUser"]
    assert [each["code"] for each in answer["userErrors"]] == ["LAST_OWNER"]


async def test_nobody_gives_more_than_they_hold(desk: Desk):
    manager = desk.having(Permission.USERS, *PERMISSIONS[Role.STAFF])
    owner = {"id": desk.id("User", desk.user_id), "invite": True}
    for document, wanted in (
        (SAVE, MAI | {"role": "OWNER"}),
        (SAVE, owner),
        (CREATE, {"name": "Mine", "role": "OWNER"}),
        (CREATE, {"name": "Mine", "scopes": ["SHOPS"]}),
    ):
        [payload] = (await manager.execute(document, input=wanted)).values()
        assert [each["code"] for each in payload["userErrors"]] == ["EXCEEDS_RIGHTS"]
    assert await desk.operations() == []


async def test_a_token_is_shown_once_and_opens_the_door(desk: Desk):
    at = (NOW + timedelta(days=3650)).isoformat().replace("+00:00", "Z")
    wanted = {"name": "Partner", "scopes": ["STOCK_READ"], "expiresAt": at, "idempotencyKey": "k"}

    made = (await desk.execute(CREATE, input=wanted))["createApiToken"]
    again = (await desk.execute(CREATE, input=wanted))["createApiToken"]

    known = await authenticate(desk.db, made["token"])
    assert known is not None
    assert known.permissions == {Permission.STOCK_READ}
    assert again == {**made, "token": None}
    assert {**made["apiToken"], "id": None} == {
        "id": None,
        "name": "Partner",
        "role": None,
        "scopes": ["STOCK_READ"],
        "expiresAt": at.replace("Z", ".000000Z"),
        "revokedAt": None,
    }
    assert await desk.operations() == ["CREATE_TOKEN"]


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({"name": "A"}, ("REQUIRED", ["scopes"])),
        ({"name": "A", "role": "STAFF", "scopes": ["READ"]}, ("INVALID_VALUE", ["scopes"])),
        ({"name": " ", "role": "STAFF"}, ("REQUIRED", ["name"])),
        (
            {"name": "A", "role": "STAFF", "expiresAt": "2026-11-20T03:00:00Z"},
            ("INVALID_VALUE", ["expiresAt"]),
        ),
    ],
)
async def test_what_is_no_token_is_refused(desk: Desk, wanted: Any, error: Any):
    answer = (await desk.execute(CREATE, input=wanted))["createApiToken"]

    [told] = answer["userErrors"]
    assert (told["code"], told["field"]) == error
    assert (answer["apiToken"], answer["token"]) == (None, None)


async def test_a_revoked_token_is_nobodys(desk: Desk):
    made = (await desk.execute(CREATE, input={"name": "Tills", "role": "STAFF"}))["createApiToken"]
    ids = [made["apiToken"]["id"]]

    first = (await desk.execute(REVOKE, input={"ids": ids}))["revokeApiTokens"]
    again = (await desk.execute(REVOKE, input={"ids": ids}))["revokeApiTokens"]

    assert first == again
    assert [each["revokedAt"] is None for each in first["apiTokens"]] == [False]
    assert await authenticate(desk.db, made["token"]) is None
    assert await desk.operations() == ["CREATE_TOKEN", "REVOKE_TOKENS"]


async def test_one_that_is_not_there_leaves_the_others_alone(desk: Desk):
    made = (await desk.execute(CREATE, input={"name": "Tills", "role": "STAFF"}))["createApiToken"]
    ids = [made["apiToken"]["id"], desk.id("ApiToken", desk.user_id)]

    answer = (await desk.execute(REVOKE, input={"ids": ids}))["revokeApiTokens"]

    [told] = answer["userErrors"]
    assert (told["code"], told["field"]) == ("NOT_FOUND", ["ids", "1"])
    assert await authenticate(desk.db, made["token"]) is not None


async def test_owners_see_who_there_is(desk: Desk):
    await desk.execute(SAVE, input=MAI)
    await desk.execute(CREATE, input={"name": "Tills", "role": "STAFF"})
    await desk.execute(CREATE, input={"name": "Partner", "scopes": ["STOCK_READ"]})

    seen = await desk.execute(PEOPLE)

    people = [edge["node"] for edge in seen["users"]["edges"]]
    assert seen["users"]["totalCount"] == 2
    assert people[1] == {"name": "Mai", "email": "mai@example.com", "disabled": False}
    assert [edge["node"] for edge in seen["apiTokens"]["edges"]] == [
        {"name": "Tills", "role": "STAFF", "scopes": []},
        {"name": "Partner", "role": None, "scopes": ["STOCK_READ"]},
    ]


async def test_others_see_names_in_the_logs_and_no_more(desk: Desk):
    """A partner who reads everything else learns neither addresses nor what tokens there are."""
    await desk.execute(SAVE, input=MAI)
    staff = desk.having(*PERMISSIONS[Role.STAFF])
    logs = "{ operationLogs(first: 1) { edges { node { actor { ... on User { name role email lastSeenAt } } } } } }"

    seen = await staff.answer(logs)
    lists = await staff.answer(PEOPLE)

    [edge] = seen["data"]["operationLogs"]["edges"]
    assert edge["node"]["actor"] == {
        "name": "Hanako",
        "role": "OWNER",
        "email": None,
        "lastSeenAt": None,
    }
    assert {each["extensions"]["code"] for each in seen["errors"]} == {"FORBIDDEN"}
    assert lists["data"] == {"users": None, "apiTokens": None}


async def test_a_person_sees_their_own_address(engine: Engine, db: Database):
    desk = await Desk.opened(engine, db, await an_account(db))
    viewer = desk.having(Permission.READ)
    data = await viewer.execute("{ viewer { email user { name } token { name } } }")

    assert data["viewer"]["email"].endswith("@example.com")
    assert (data["viewer"]["user"], data["viewer"]["token"]) == ({"name": "Hanako"}, None)
