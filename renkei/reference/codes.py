"""Every code of an error, and every code with which a socket ends."""

from api.closings import CLOSINGS
from api.error_codes import MEANINGS
from api.user_errors import UserErrorCode
from renkei.reference.markdown import table, word
from renkei.reference.schema import descriptions


def errors() -> str:
    rows = ([word(code.value), meaning] for code, meaning in MEANINGS.items())
    return table(["`extensions.code`", "What it means, what to do"], rows)


def user_errors() -> str:
    told = descriptions("UserErrorCode")
    rows = ([word(code.value), told[code.value]] for code in UserErrorCode)
    return table(["`code`", "What it means"], rows)


def closings() -> str:
    rows = (
        [str(code.value), closing.then.value, closing.meaning] for code, closing in CLOSINGS.items()
    )
    return table(["Code", "Then", "Why"], rows)
