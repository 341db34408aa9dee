"""Signing in and out, and the passwords it takes."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from argon2 import PasswordHasher

from domain.model.errors import DomainError
from domain.model.roles import Role
from domain.services import attempts, people, sessions
from domain.services.attempts import PERSON, PERSON_EVERYWHERE, SOURCE, TooManyAttempts
from domain.services.callers import Authenticated, authenticate, still_allowed
from domain.services.passwords import MOST_WAITING, Passwords
from domain.services.people import OURSELVES
from domain.services.sessions import MOST_SESSIONS, Credentials, InvitationOver, SignInFailed
from domain.store.database import Database
from domain.store.people import login
from domain.store.sessions import open_session
from tests.domain.services.rows import operations, row, rows

PASSWORD = "correct horse battery"
ANOTHER = "staple ひらがな password"


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords()


def elsewhere() -> str:
    """An address in a network of its own: 2001:db8 is for examples."""
    digits = uuid4().hex
    return f"2001:db8:{digits[:4]}:{digits[4:8]}::1"


@pytest.fixture
def source() -> str:
    return elsewhere()


class Mai:
    """Someone invited, who has chosen a password."""

    def __init__(self, db: Database, passwords: Passwords, code: str, id: UUID, source: str):
        self.db, self.passwords, self.code, self.id, self.source = db, passwords, code, id, source

    async def sign_in(self, password: str = PASSWORD, email: str = "mai@example.com") -> str:
        entered = Credentials(self.code, email, password)
        opened = await sessions.sign_in(self.db, self.passwords, entered, source=self.source)
        return opened.token

    async def caller(self, token: str) -> Authenticated:
        known = await authenticate(self.db, token)
        assert known is not None
        return known

    async def change(self, token: str, current: str, new: str) -> None:
        caller = await self.caller(token)
        await sessions.change_password(self.db, self.passwords, caller, current, new)


@pytest.fixture
async def mai(db: Database, account: UUID, passwords: Passwords, source: str) -> Mai:
    async with db.transaction(account) as tx:
        code = (await row(tx, "SELECT code FROM accounts"))["code"]
        await people.create_user(
            tx, OURSELVES, email="boss@example.com", name="Boss", role=Role.OWNER
        )
        made = await people.create_user(
            tx, OURSELVES, email="mai@example.com", name="Mai", role=Role.STAFF
        )
        await people.set_password(
            tx, OURSELVES, "mai@example.com", await passwords.hashed(PASSWORD)
        )
    return Mai(db, passwords, code, made.id, source)


async def test_who_signs_in_has_a_session(mai: Mai, account: UUID):
    token = await mai.sign_in(email=" MAI@example.com ")

    caller = await mai.caller(token)
    assert (caller.account_id, caller.actor.id, caller.actor.name) == (account, mai.id, "Mai")
    async with mai.db.transaction(account) as tx:
        kept = await row(tx, "SELECT s::text AS it, expires_at - now() AS lives FROM sessions s")
    assert token.startswith("rs_")
    assert token not in kept["it"]
    assert timedelta(days=29) < kept["lives"] <= timedelta(days=30)


@pytest.mark.parametrize(
    ("case", "entered"),
    [
        ("wrong password", {"password": PASSWORD + "x"}),
        ("no password", {"password": ""}),
        ("unknown address", {"email": "nobody@example.com"}),
        ("no address", {"email": ""}),
        ("one who never chose a password", {"email": "boss@example.com"}),
        ("another's account", {"account": "none"}),
    ],
)
async def test_whatever_is_wrong_is_refused_in_the_same_words(mai: Mai, case: str, entered):
    given = {"account": mai.code, "email": "mai@example.com", "password": PASSWORD} | entered
    with pytest.raises(SignInFailed) as refused:
        await sessions.sign_in(mai.db, mai.passwords, Credentials(**given), source=mai.source)

    assert (refused.value.code, refused.value.message) == ("SIGN_IN_FAILED", SignInFailed().message)


async def test_who_is_disabled_does_not_come_in_and_is_signed_out(mai: Mai, account: UUID):
    token = await mai.sign_in()
    async with mai.db.transaction(account) as tx:
        await people.change_user(tx, OURSELVES, mai.id, {"disabled": True})

    assert await authenticate(mai.db, token) is None
    with pytest.raises(SignInFailed):
        await mai.sign_in()

    async with mai.db.transaction(account) as tx:
        await people.change_user(tx, OURSELVES, mai.id, {"disabled": False})
    assert await authenticate(mai.db, token) is None
    assert await mai.sign_in()


async def test_a_password_is_right_however_it_was_typed(mai: Mai):
    """Full-width letters of a Japanese input method among them."""
    token = await mai.sign_in("ｃｏｒｒｅｃｔ　ｈｏｒｓｅ　ｂａｔｔｅｒｙ")
    assert await mai.caller(token)


async def test_a_hash_of_older_parameters_is_made_anew(mai: Mai, account: UUID):
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    async with mai.db.transaction(account) as tx:
        await people.set_password(tx, OURSELVES, "mai@example.com", weak)

    await mai.sign_in()

    async with mai.db.transaction(account) as tx:
        [kept] = await rows(
            tx, "SELECT password_hash AS hash FROM users WHERE email = 'mai@example.com'"
        )
    assert kept["hash"] != weak
    assert not PasswordHasher().check_needs_rehash(kept["hash"])
    assert await mai.sign_in()


async def test_signing_out_ends_this_session_alone(mai: Mai):
    first, second = await mai.sign_in(), await mai.sign_in()

    await sessions.sign_out(mai.db, await mai.caller(first))

    assert set(await still_allowed(mai.db, [first, second])) == {second}


async def test_a_person_has_so_many_sessions(mai: Mai, account: UUID):
    """The one not used longest makes room; those that are over are forgotten."""
    async with mai.db.transaction(account) as tx:
        for nth in range(MOST_SESSIONS):
            await rows(
                tx,
                "INSERT INTO sessions (account_id, user_id, token_hash, expires_at, last_used_at) VALUES (:account, "
                ":user, :hash, now() + interval '1 day', now() - make_interval(mins => :nth)) RETURNING id",
                user=mai.id,
                hash=mai.id.bytes + bytes([nth]),
                nth=nth,
            )
    token = await mai.sign_in()

    async with mai.db.transaction(account) as tx:
        kept = [each["token_hash"] for each in await rows(tx, "SELECT token_hash FROM sessions")]
    assert await authenticate(mai.db, token)
    assert len(kept) == MOST_SESSIONS
    assert mai.id.bytes + bytes([MOST_SESSIONS - 1]) not in kept


async def test_a_changed_password_ends_the_other_sessions(mai: Mai, account: UUID):
    here, elsewhere = await mai.sign_in(), await mai.sign_in()

    await mai.change(here, PASSWORD, ANOTHER)

    assert set(await still_allowed(mai.db, [here, elsewhere])) == {here}
    with pytest.raises(SignInFailed):
        await mai.sign_in(PASSWORD)
    assert await mai.sign_in(ANOTHER)
    async with mai.db.transaction(account) as tx:
        last = (await rows(tx, "SELECT action, actor FROM operation_logs ORDER BY id"))[-1]
    assert last["action"] == "CHANGE_PASSWORD"
    assert last["actor"] == {"kind": "USER", "name": "Mai", "id": str(mai.id)}


@pytest.mark.parametrize(
    ("case", "current", "new", "code"),
    [
        ("not the current one", "wrong", ANOTHER, "SIGN_IN_FAILED"),
        ("too short", PASSWORD, "ninechars", "INVALID_VALUE"),
        ("too long", PASSWORD, "x" * 201, "INVALID_VALUE"),
        ("blanks", PASSWORD, " " * 20, "INVALID_VALUE"),
    ],
)
async def test_a_password_is_not_changed_otherwise(mai: Mai, case, current, new, code):
    token = await mai.sign_in()
    with pytest.raises(DomainError) as refused:
        await mai.change(token, current, new)

    assert refused.value.code == code, case
    assert await mai.sign_in(PASSWORD)


async def test_an_invitation_sets_a_password_once(mai: Mai, account: UUID):
    token = await mai.sign_in()
    async with mai.db.transaction(account) as tx:
        invited = (await people.change_user(tx, OURSELVES, mai.id, {}, invite=True)).invitation
    assert invited is not None

    async def take_up(password: str) -> str:
        return await sessions.take_up_invitation(
            mai.db, mai.passwords, invited.secret, password, source=mai.source
        )

    with pytest.raises(DomainError, match="10 to 200"):
        await take_up("short")
    assert await take_up(ANOTHER) == "mai@example.com"
    with pytest.raises(InvitationOver):
        await take_up(PASSWORD)

    assert await authenticate(mai.db, token) is None
    assert await mai.sign_in(ANOTHER)
    async with mai.db.transaction(account) as tx:
        assert (await operations(tx))[-1] == "TAKE_UP_INVITATION"


@pytest.mark.parametrize(
    ("case", "sql"),
    [
        ("over", "UPDATE users SET invitation_until = now()"),
        ("of someone disabled", "UPDATE users SET disabled_at = now()"),
        ("replaced", "UPDATE users SET invitation_hash = uuid_send(id)"),
    ],
)
async def test_an_invitation_that_is_over_sets_nothing(mai: Mai, account: UUID, case, sql):
    async with mai.db.transaction(account) as tx:
        invited = (await people.change_user(tx, OURSELVES, mai.id, {}, invite=True)).invitation
        await rows(tx, f"{sql} RETURNING id")
        before = await rows(tx, "SELECT password_hash FROM users ORDER BY id")
    assert invited is not None

    with pytest.raises(InvitationOver):
        await sessions.take_up_invitation(
            mai.db, mai.passwords, invited.secret, ANOTHER, source=mai.source
        )

    async with mai.db.transaction(account) as tx:
        assert await rows(tx, "SELECT password_hash FROM users ORDER BY id") == before, case


async def test_a_password_changed_while_it_was_compared_lets_nobody_in(mai: Mai, account: UUID):
    """The session is opened for the very password that was compared."""
    async with mai.db.transaction(account) as tx:
        stale = await login(tx, email="mai@example.com")
        assert stale is not None
        assert stale.password_hash is not None
        await people.set_password(
            tx, OURSELVES, "mai@example.com", await mai.passwords.hashed(ANOTHER)
        )
        opened = await open_session(tx, mai.id, stale.password_hash, b"h", timedelta(days=1))
    assert opened is None


@pytest.mark.parametrize("email", ["mai@example.com", "nobody@example.com"])
async def test_guesses_at_one_person_from_one_network_run_out(mai: Mai, email: str):
    """Whether there is such a person or not; another person is not meant."""
    for _ in range(PERSON.at_once):
        with pytest.raises(SignInFailed):
            await mai.sign_in("a guess", email=email)
    mai.source = mai.source.replace("::1", "::beef")
    with pytest.raises(TooManyAttempts) as refused:
        await mai.sign_in(PASSWORD, email=email)
    assert 50 <= refused.value.seconds <= 60
    with pytest.raises(SignInFailed):
        await mai.sign_in(PASSWORD, email="boss@example.com")


async def test_whoever_guesses_from_a_few_networks_keeps_the_person_out_nowhere_else(mai: Mai):
    """However often: what is refused there takes nothing from what all networks have together."""
    guessers = [elsewhere() for _ in range(PERSON_EVERYWHERE.at_once // SOURCE.at_once + 1)]
    for guesser in guessers * SOURCE.at_once:
        with suppress(TooManyAttempts):
            await attempts.count_sign_in(mai.db, mai.code, "mai@example.com", guesser)
    for guesser in guessers:
        with pytest.raises(TooManyAttempts):
            await attempts.count_sign_in(mai.db, mai.code, "mai@example.com", guesser)
    assert await mai.sign_in(PASSWORD)


@pytest.mark.parametrize("email", ["mai@example.com", "nobody@example.com"])
async def test_guesses_at_one_person_from_everywhere_run_out(mai: Mai, email: str):
    for _ in range(PERSON_EVERYWHERE.at_once):
        await attempts.count_sign_in(mai.db, mai.code, email, elsewhere())
    with pytest.raises(TooManyAttempts) as refused:
        await mai.sign_in(PASSWORD, email=email)
    assert 1 <= refused.value.seconds <= 10
    with pytest.raises(SignInFailed):
        await mai.sign_in(PASSWORD, email="boss@example.com")


async def test_guesses_at_ones_own_password_run_out(mai: Mai):
    """Of who is signed in as the person; signing in is counted apart."""
    token = await mai.sign_in()
    for _ in range(PERSON.at_once):
        with pytest.raises(SignInFailed):
            await mai.change(token, "a guess", ANOTHER)
    with pytest.raises(TooManyAttempts) as refused:
        await mai.change(token, PASSWORD, ANOTHER)
    assert 50 <= refused.value.seconds <= 60
    assert await mai.sign_in(PASSWORD)


async def test_guesses_from_one_place_run_out(db: Database, source: str):
    for _ in range(SOURCE.at_once):
        await attempts.count_source(db, source)
    beside = source.replace("::1", "::beef")
    with pytest.raises(TooManyAttempts) as refused:
        await attempts.count_source(db, beside)
    assert 1 <= refused.value.seconds <= 10


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_a_place_is_what_one_customer_is_given(address: str, network: str):
    assert attempts.network(address) == network


async def test_so_many_wait_for_their_password_to_be_compared():
    passwords = Passwords()
    waiting = [asyncio.create_task(passwords.compared(None, "x")) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyAttempts):
        await passwords.compared(None, "x")
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    passwords.close()


async def test_who_has_no_password_takes_as_long(passwords: Passwords):
    """Within what a busy machine makes of it: without the work it would be a thousandth."""
    kept = await passwords.hashed(PASSWORD)

    async def took(hash: str | None) -> float:
        began = datetime.now(UTC)
        assert not (await passwords.compared(hash, "wrong")).right
        return (datetime.now(UTC) - began).total_seconds()

    await took(None)
    with_one, without = await took(kept), await took(None)
    assert without > with_one / 20
