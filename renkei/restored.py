"""What a person says who has put an older database back: from when on something may be lost."""

from datetime import datetime, timedelta

from domain.model.initial_orders import check_since
from domain.store import accounts, installation
from domain.store.database import Tx
from renkei.database import opened
from renkei.merchants import account_named
from renkei.refusal import Refusal


def chosen(since: str | None, loss: int | None, usual: timedelta, *, now: datetime) -> datetime:
    """From when on something may be lost. Raises Refusal, or DomainError for a time too long ago or to come."""
    if since is not None and loss is not None:
        raise Refusal("Give --since or --loss, not both.")
    moment = now - (usual if loss is None else timedelta(seconds=loss))
    if since is not None:
        moment = _moment(since)
    check_since(moment, now)
    return moment


async def resync(url: str, since: datetime, account: str | None) -> str:
    """Marks one account, or all of them. The sentence that says what follows."""
    async with opened(url) as database:
        if account is None:
            count = await installation.resync_all(database, since)
        else:
            count = 1
            account_id = await account_named(database, account)

            async def work(tx: Tx) -> None:
                await accounts.resync(tx, since)

            await database.run(account_id, work)
    whose = f"account {account}" if account else f"{count} account{'s' if count != 1 else ''}"
    return (
        f"Marked {whose}, from {since:%Y-%m-%d %H:%M:%S %Z} on. Running workers forget what they believed of the malls,"
        " read the orders since then again and send every number anew."
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refusal(f"{text} is not a time with its zone, like 2026-11-20T03:00:00+09:00.")
    return moment
