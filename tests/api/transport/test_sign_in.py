"""Signing in by HTTP: cookies, bearers, origins, guesses."""

from contextlib import suppress
from dataclasses import dataclass, replace
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.app import create_app
from api.nodes import global_id
from api.seats import Room
from api.session import IDLE, Patience
from domain.model.locales import Locale
from domain.model.roles import Role
from domain.services import people
from domain.services.attempts import PERSON
from domain.services.passwords import Passwords
from domain.services.people import OURSELVES
from domain.settings import Settings
from domain.store.database import Database
from tests.api.transport.conftest import ORIGIN
from tests.api.transport.serving import Api, Socket, a_client, serving
from tests.domain.services.rows import row, rows
from tests.patience import eventually

PASSWORD = "correct horse battery"
NAME = "__Host-renkei"
WHO = {"query": "{ viewer { user { name } token { name } locale permissions } }"}
FOLLOW = "subscription { diffEvents { cursor } }"
EVIL = "https://evil.example.com"


@dataclass
class Mai:
    """A person of staff at their browser, who speaks no language of ours."""

    http: httpx.AsyncClient
    address: str
    db: Database
    account: UUID
    code: str
    id: UUID

    async def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """From an address of their own, as a proxy says it; header names as keywords, "" leaves one out."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        source = f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1"
        sent = {"x-forwarded-for": source, "accept-language": "fr", **named}
        given = {name: value for name, value in sent.items() if value}
        if isinstance(body, bytes):
            return await self.http.post(path, content=body, headers=given)
        return await self.http.post(path, json=body, headers=given)

    async def sign_in(self, **entered: Any) -> httpx.Response:
        own = {"account": self.code, "email": "mai@example.com", "password": PASSWORD}
        return await self.post("/auth/sign-in", own | entered)

    async def cookie(self) -> str:
        answer = await self.sign_in()
        return f"{NAME}={SimpleCookie(answer.headers['set-cookie'])[NAME].value}"

    async def bearer(self) -> str:
        token: str = (await self.sign_in(session="bearer")).json()["token"]
        return token

    async def status(self, **headers: str) -> int:
        return (await self.post("/graphql", WHO, **headers)).status_code

    def api(self, token: str) -> Api:
        return Api(self.http, self.address, token)


@pytest.fixture(scope="module")
async def hashed() -> str:
    return await Passwords().hashed(PASSWORD)


@pytest.fixture
async def mai(served: str, db: Database, account: UUID, hashed: str) -> Any:
    async with db.transaction(account) as tx:
        await people.create_user(tx, OURSELVES, email="boss@example.com", name="B", role=Role.OWNER)
        made = await people.create_user(
            tx,
            OURSELVES,
            email="mai@example.com",
            name="Mai",
            role=Role.STAFF,
            locale=Locale.EN,
        )
        await people.set_password(tx, OURSELVES, "mai@example.com", hashed)
        code = (await row(tx, "SELECT code FROM accounts"))["code"]
    async with a_client(served) as http:
        yield Mai(http, served, db, account, code, made.id)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    [error] = answer.json()["errors"]
    return answer.status_code, error["extensions"]["code"]


async def test_a_browser_gets_a_cookie_that_scripts_and_other_sites_cannot_use(mai: Mai) -> None:
    answer = await mai.sign_in()

    assert (answer.status_code, set(answer.json())) == (200, {"expiresAt"})
    assert answer.headers["cache-control"] == "no-store"
    given = SimpleCookie(answer.headers["set-cookie"])[NAME]
    assert given.value.startswith("rs_")
    assert (given["path"], given["domain"], given["samesite"]) == ("/", "", "lax")
    assert given["httponly"] is True
    assert given["secure"] is True
    assert given["expires"].endswith("GMT")


async def test_without_encryption_the_cookie_is_a_plain_one(settings: Settings, mai: Mai) -> None:
    plain = replace(settings, public_url="http://127.0.0.1:8000")
    async with serving(create_app(plain)) as address, a_client(address) as http:
        there = replace(mai, http=http, address=address)
        given = SimpleCookie((await there.sign_in()).headers["set-cookie"])["renkei"]
        assert given["secure"] == ""
        assert given["httponly"] is True
        assert await there.status(cookie=f"renkei={given.value}") == 200
        assert await there.status(cookie=f"{NAME}={given.value}") == 401


async def test_a_cookie_says_who_asks(mai: Mai) -> None:
    answer = await mai.post("/graphql", WHO, cookie=await mai.cookie())

    viewer = answer.json()["data"]["viewer"]
    assert (viewer["user"], viewer["token"], viewer["locale"]) == ({"name": "Mai"}, None, "EN")
    assert "STOCK_WRITE" in viewer["permissions"]
    assert "USERS" not in viewer["permissions"]


async def test_a_request_that_names_a_language_is_answered_in_it(mai: Mai) -> None:
    answer = await mai.post("/graphql", WHO, cookie=await mai.cookie(), accept_language="ja")
    assert answer.json()["data"]["viewer"]["locale"] == "JA"


async def test_a_frontend_elsewhere_gets_a_bearer(mai: Mai) -> None:
    answer = await mai.sign_in(session="bearer")

    assert "set-cookie" not in answer.headers
    assert set(answer.json()) == {"expiresAt", "token"}
    token = answer.json()["token"]
    assert await mai.status(authorization=f"Bearer {token}", origin=EVIL) == 200


async def test_the_header_goes_before_the_cookie(mai: Mai) -> None:
    assert await mai.status(cookie=await mai.cookie(), authorization="Bearer rk_x") == 401


@pytest.mark.parametrize(
    ("case", "entered"),
    [
        ("wrong password", {"password": "something else"}),
        ("unknown address", {"email": "nobody@example.com"}),
        ("unknown account", {"account": "nothing"}),
    ],
)
async def test_who_is_wrong_learns_nothing_of_what(mai: Mai, case: str, entered: Any) -> None:
    answer = await mai.sign_in(**entered)

    assert answer.status_code == 401, case
    assert answer.headers["www-authenticate"] == 'Bearer realm="renkei"'
    assert answer.json() == {
        "errors": [
            {
                "message": "契約コード・メールアドレス・パスワードのいずれかが正しくありません。"
                "忘れた場合は契約者に新しい招待を依頼してください。",
                "extensions": {"code": "SIGN_IN_FAILED", "params": {}},
            }
        ]
    }


AUTH = ("/auth/sign-in", "/auth/sign-out", "/auth/password")
AS_JSON = {"content_type": "application/json"}


@pytest.mark.parametrize(
    ("case", "body", "headers", "expected"),
    [
        ("no JSON", b"{", AS_JSON, (400, "BAD_REQUEST")),
        ("an array", [], {}, (400, "BAD_REQUEST")),
        ("too much", b'"' + b"x" * 10_000 + b'"', AS_JSON, (413, "TOO_LARGE")),
        ("a form", b"a=b", {"content_type": "application/x-www-form-urlencoded"}, (415, "UNSUPPORTED_MEDIA_TYPE")),
        ("a simple type", b"{}", {"content_type": "text/plain"}, (415, "UNSUPPORTED_MEDIA_TYPE")),
        ("no type", b"{}", {}, (415, "UNSUPPORTED_MEDIA_TYPE")),
        ("another site", {}, {"origin": EVIL}, (403, "ORIGIN_NOT_ALLOWED")),
        ("no site", {}, {"origin": "null"}, (403, "ORIGIN_NOT_ALLOWED")),
        ("no address", {}, {"origin": "http://["}, (403, "ORIGIN_NOT_ALLOWED")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", AUTH)
async def test_what_is_not_sent_as_it_must_be_is_refused(
    mai: Mai, path: str, case: str, body: Any, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    assert code_of(await mai.post(path, body, **headers)) == expected, case


ENTERED = {"account": "", "email": "", "password": ""}


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/auth/sign-in", {}, "account must be a string"),
        ("/auth/sign-in", {"account": "a"}, "email must be a string"),
        ("/auth/sign-in", ENTERED | {"password": 1}, "password must be a string"),
        ("/auth/sign-in", ENTERED | {"account": "x" * 1001}, "at most 1000 characters"),
        ("/auth/sign-in", ENTERED | {"session": "none"}, 'session is "cookie" or "bearer"'),
        ("/auth/password", {"current": "x"}, "password must be a string"),
        ("/auth/password", {"invitation": None, "password": "x"}, "invitation must be a string"),
    ],
)
async def test_what_is_missing_or_wrong_is_named(
    mai: Mai, path: str, body: Any, message: str
) -> None:
    answer = await mai.post(path, body, accept_language="en")
    assert code_of(answer) == (400, "BAD_REQUEST")
    assert message in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("path", AUTH)
async def test_nothing_is_done_by_get(mai: Mai, path: str) -> None:
    assert code_of(await mai.http.get(path)) == (405, "METHOD_NOT_ALLOWED")


async def test_guesses_are_counted_and_told_when_to_come_back(mai: Mai) -> None:
    """Where they come from; the person comes in from elsewhere."""
    entered = {"account": mai.code, "email": "mai@example.com", "password": "a guess"}
    from_there = {"x_forwarded_for": f"2001:db8:{uuid4().hex[:4]}::1"}
    for _ in range(PERSON.at_once):
        assert (await mai.post("/auth/sign-in", entered, **from_there)).status_code == 401
    answer = await mai.post("/auth/sign-in", entered | {"password": PASSWORD}, **from_there)

    assert (await mai.sign_in()).status_code == 200
    assert code_of(answer) == (429, "TOO_MANY_ATTEMPTS")
    assert 50 <= int(answer.headers["retry-after"]) <= 60
    [error] = answer.json()["errors"]
    assert error["extensions"]["params"] == {"seconds": int(answer.headers["retry-after"])}
    assert "秒後" in error["message"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [("", 200), (ORIGIN, 200), (EVIL, 403), ("null", 403), ("http://[", 403)],
)
async def test_a_cookie_counts_from_allowed_pages_alone(mai: Mai, origin: str, status: int) -> None:
    cookie = await mai.cookie()

    assert await mai.status(cookie=cookie, origin=origin) == status
    answer = await mai.http.get(
        "/graphql", params=WHO, headers={"cookie": cookie, **({"origin": origin} if origin else {})}
    )
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("public_url", "scheme", "status"),
    [
        ("https://stock.example.com", "https", 200),
        ("https://stock.example.com", "http", 403),
        ("http://127.0.0.1:8000", "http", 200),
        ("http://127.0.0.1:8000", "https", 403),
    ],
)
async def test_our_own_page_may_come_with_its_cookie(
    settings: Settings, mai: Mai, public_url: str, scheme: str, status: int
) -> None:
    """By its scheme too: an unencrypted page under our name may be somebody's on the way."""
    app = create_app(replace(settings, public_url=public_url))
    async with serving(app) as address, a_client(address) as http:
        there = replace(mai, http=http, address=address)
        cookie = (await there.sign_in()).headers["set-cookie"].partition(";")[0]
        assert await there.status(cookie=cookie, origin=f"{scheme}://{address}") == status


async def test_our_own_page_is_the_one_that_a_trusted_proxy_says(
    settings: Settings, mai: Mai
) -> None:
    app = create_app(replace(settings, public_url="http://127.0.0.1:8000"))
    async with serving(app) as address, a_client(address) as http:
        there = replace(mai, http=http, address=address)
        sent = {"cookie": f"{NAME}={await there.bearer()}", "x_forwarded_proto": "https"}
        assert await there.status(**sent, origin=f"https://{address}") == 200
        assert await there.status(**sent, origin=f"http://{address}") == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_cookie_with_what_any_page_may_send_is_refused(mai: Mai, kind: str) -> None:
    answer = await mai.post("/graphql", b"{}", cookie=await mai.cookie(), content_type=kind)
    assert code_of(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_browsers_are_told_who_may_send_cookies(mai: Mai) -> None:
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    allowed = await mai.http.options("/auth/sign-in", headers={"origin": ORIGIN, **asked})
    other = await mai.http.options("/auth/sign-in", headers={"origin": EVIL, **asked})

    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert allowed.headers["access-control-allow-credentials"] == "true"
    assert (other.status_code, "access-control-allow-origin" in other.headers) == (400, False)


async def test_signing_out_ends_the_session_and_takes_the_cookie(mai: Mai) -> None:
    cookie, other = await mai.cookie(), await mai.bearer()
    answer = await mai.post("/auth/sign-out", {}, cookie=cookie)

    assert answer.status_code == 204
    taken = SimpleCookie(answer.headers["set-cookie"])[NAME]
    assert (taken.value, taken["secure"]) == ("", True)
    assert await mai.status(cookie=cookie) == 401
    assert await mai.status(authorization=f"Bearer {other}") == 200
    assert (await mai.post("/auth/sign-out", {}, cookie=cookie)).status_code == 204


async def test_a_program_signs_neither_in_nor_out(mai: Mai, api: Api) -> None:
    with_token = {"authorization": f"Bearer {api.token}"}
    assert code_of(await mai.post("/auth/sign-out", {}, **with_token)) == (403, "FORBIDDEN")
    change = {"current": PASSWORD, "password": PASSWORD}
    assert code_of(await mai.post("/auth/password", change, **with_token)) == (403, "FORBIDDEN")


async def test_a_password_is_changed_with_the_current_one(mai: Mai) -> None:
    here, elsewhere = await mai.cookie(), await mai.bearer()
    new = {"current": PASSWORD, "password": "staple, and more"}

    assert code_of(await mai.post("/auth/password", new)) == (401, "UNAUTHENTICATED")
    wrong = await mai.post("/auth/password", new | {"current": "x"}, cookie=here)
    assert code_of(wrong) == (401, "SIGN_IN_FAILED")
    short = await mai.post("/auth/password", new | {"password": "x"}, cookie=here)
    assert code_of(short) == (400, "INVALID_VALUE")
    assert (await mai.post("/auth/password", new, cookie=here)).status_code == 204

    assert await mai.status(cookie=here) == 200
    assert await mai.status(authorization=f"Bearer {elsewhere}") == 401
    assert (await mai.sign_in()).status_code == 401
    assert (await mai.sign_in(password="staple, and more")).status_code == 200


async def test_an_invitation_opens_the_door_once(mai: Mai) -> None:
    async with mai.db.transaction(mai.account) as tx:
        invited = (await people.change_user(tx, OURSELVES, mai.id, {}, invite=True)).invitation
    assert invited is not None
    body = {"invitation": invited.secret, "password": "staple, and more"}

    answer = await mai.post("/auth/password", body)
    assert (answer.status_code, answer.json()) == (200, {"email": "mai@example.com"})
    again = await mai.post("/auth/password", body)
    assert code_of(again) == (400, "INVITATION_OVER")
    assert (await mai.sign_in(password="staple, and more")).status_code == 200


async def test_a_socket_takes_the_cookie_from_an_allowed_page(mai: Mai) -> None:
    cookie = {"Cookie": await mai.cookie()}
    async with mai.api("").socket(origin=ORIGIN, additional_headers=cookie) as socket:
        await socket.init(locale="JA")
        await socket.subscribe("1", "{ viewer { user { name } locale } }")
        assert await socket.frame() == {"user": {"name": "Mai"}, "locale": "JA"}


async def test_a_socket_takes_no_cookie_from_elsewhere(mai: Mai) -> None:
    cookie = {"Cookie": await mai.cookie()}
    async with mai.api("").socket(additional_headers=cookie) as socket:
        await socket.say(type="connection_init")
        assert (await socket.end())[0] == 4403
    with pytest.raises(InvalidStatus):
        async with mai.api("").socket(origin=EVIL, additional_headers=cookie):
            pass


@pytest.mark.parametrize(
    ("case", "sql"),
    [
        ("another role", "UPDATE users SET role = 'VIEWER' WHERE name = 'Mai'"),
        ("disabled", "UPDATE users SET disabled_at = now() WHERE name = 'Mai'"),
        ("signed out", "DELETE FROM sessions"),
        ("over", "UPDATE sessions SET expires_at = now()"),
    ],
)
async def test_what_changes_a_persons_rights_ends_their_sockets(
    mai: Mai, case: str, sql: str
) -> None:
    api = mai.api(await mai.bearer())
    async with api.talking() as socket:
        await socket.subscribe("1", FOLLOW)
        await socket.frame()
        async with mai.db.transaction(mai.account) as tx:
            await rows(tx, f"{sql} RETURNING id")
        assert (await socket.end())[0] == 4403, case


async def test_working_over_a_socket_keeps_a_session(mai: Mai) -> None:
    """What is asked for there is noted, as a request is; a socket that only stands open is no use."""

    async def last_used() -> Any:
        async with mai.db.transaction(mai.account) as tx:
            return (await row(tx, "SELECT last_used_at FROM sessions"))["last_used_at"]

    async def make_it_old() -> Any:
        async with mai.db.transaction(mai.account) as tx:
            long_ago = "UPDATE sessions SET last_used_at = now() - interval '1 hour' RETURNING last_used_at"
            return (await row(tx, long_ago))["last_used_at"]

    async with mai.api(await mai.bearer()).talking() as socket:
        await socket.subscribe("1", "{ viewer { locale } }")
        await socket.frame()
        old = await make_it_old()

        async def is_noted() -> bool:
            return await last_used() != old

        await eventually(is_noted)


async def test_one_token_holds_so_many_sockets(settings: Settings, api: Api) -> None:
    async with api.elsewhere(create_app(settings, room=Room(sockets=2))) as here:
        async with here.talking(), here.talking(), here.socket() as socket:
            await socket.say(type="connection_init", payload=own(here))
            assert await socket.end() == (
                1013,
                "2 sockets are open with this token: close some.",
            )
        await until_let_in(here)


async def test_the_operations_of_one_token_are_counted_on_all_its_sockets(
    settings: Settings, api: Api
) -> None:
    app = create_app(settings, room=Room(operations=2))
    async with api.elsewhere(app) as here, here.talking() as one, here.talking() as other:
        for socket in (one, other):
            await socket.subscribe("1", FOLLOW)
            await socket.frame()
        await one.subscribe("2", FOLLOW)
        assert await refused(one) == "TOO_MANY_OPERATIONS"

        await other.say(type="complete", id="1")
        await eventually(lambda: asked(one))


async def asked(socket: Socket) -> Any:
    """The data of a query; None while it is refused."""
    await socket.subscribe("3", "{ viewer { locale } }")
    first = await socket.hear()
    if first["type"] == "error":
        return None
    assert (await socket.hear())["type"] == "complete"
    return first["payload"]["data"]


async def refused(socket: Socket) -> str:
    error = await socket.hear()
    assert error["type"] == "error"
    return str(error["payload"][0]["extensions"]["code"])


def own(api: Api) -> dict[str, str]:
    return {"authorization": f"Bearer {api.token}"}


async def until_let_in(api: Api) -> None:
    """A socket that closed has left once the server has seen it."""
    await eventually(lambda: let_in(api))


async def let_in(api: Api) -> bool:
    async with api.socket() as socket:
        await socket.say(type="connection_init", payload=own(api))
        with suppress(ConnectionClosed):
            return bool(await socket.hear() == {"type": "connection_ack"})
    return False


async def test_a_socket_on_which_nothing_runs_is_closed(settings: Settings, api: Api) -> None:
    app = create_app(settings, Patience(idle=0.3))
    async with api.elsewhere(app) as here, here.talking() as idle, here.talking() as busy:
        await busy.subscribe("1", FOLLOW)
        await busy.frame()
        assert await idle.end() == (1000, IDLE)
        await busy.subscribe("2", "{ viewer { locale } }")
        assert (await busy.hear())["type"] == "next"
        assert (await busy.hear())["type"] == "complete"
        await busy.say(type="complete", id="1")
        assert await busy.end() == (1000, IDLE)


@pytest.mark.parametrize(
    ("language", "lang", "title"),
    [("en", "en", "Choose a password"), ("", "ja", "パスワードの設定")],
)
async def test_an_invited_person_meets_a_page_that_tells_nobody(
    mai: Mai, language: str, lang: str, title: str
) -> None:
    page = await mai.http.get("/auth/invitation", headers={"accept-language": language})
    script = await mai.http.get("/auth/invitation.js")

    assert (page.status_code, script.status_code) == (200, 200)
    assert f'<html lang="{lang}">' in page.text
    assert f"<title>{title}</title>" in page.text
    assert '<script src="/auth/invitation.js" defer>' in page.text
    assert page.headers["content-security-policy"].startswith(
        "default-src 'none'; script-src 'self'"
    )
    assert page.headers["referrer-policy"] == "no-referrer"
    assert script.headers["content-type"].startswith("text/javascript")
    assert 'fetch("/auth/password"' in script.text


async def test_what_a_person_does_stands_in_the_log_under_their_name(mai: Mai) -> None:
    save = 'mutation { saveProduct(input: {code: "TEA"}) { userErrors { code } } }'
    cookie = await mai.cookie()
    done = await mai.post("/graphql", {"query": save}, cookie=cookie)
    assert done.json()["data"] == {"saveProduct": {"userErrors": []}}

    logs = "{ operationLogs(first: 1) { edges { node { action actor { ... on User { id name } } } } } }"
    [edge] = (await mai.post("/graphql", {"query": logs}, cookie=cookie)).json()["data"][
        "operationLogs"
    ]["edges"]
    assert edge["node"] == {
        "action": "SAVE_PRODUCT",
        "actor": {"id": global_id("User", mai.id), "name": "Mai"},
    }


USERS = {"query": "{ users { totalCount } }"}


@pytest.mark.parametrize(
    ("case", "language", "words"),
    [
        ("nobody", "ja", "認証が必要です"),
        ("nobody", "en", "Who are you?"),
        ("another site", "ja", "このオリジンのページからはサインインできません"),
        ("another site", "en", "Pages of this origin may not sign in here"),
        ("no right", "ja", "権限がありません"),
        ("no right", "en", "it needs the right USERS"),
    ],
)
async def test_a_refusal_is_said_in_the_readers_language(
    mai: Mai, case: str, language: str, words: str
) -> None:
    cookie = await mai.cookie()
    headers = {
        "nobody": {},
        "another site": {"cookie": cookie, "origin": EVIL},
        "no right": {"cookie": cookie},
    }[case]
    answer = await mai.post("/graphql", USERS, accept_language=language, **headers)
    assert words in answer.json()["errors"][0]["message"]


async def test_without_its_database_nobody_is_told_that_they_are_wrong(
    settings: Settings, mai: Mai
) -> None:
    nowhere = replace(settings, database_url="postgresql+asyncpg://renkei_app@127.0.0.1:1/none")
    async with serving(create_app(nowhere)) as address, a_client(address) as http:
        answer = await replace(mai, http=http, address=address).sign_in()
    assert code_of(answer) == (503, "UNAVAILABLE")
