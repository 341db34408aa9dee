"""What can be wrong with a file: the whole of it (an error), one row of it (a value beside the good rows)."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.model.errors import DomainError
from integrations.files.messages import FILE_REASONS, ROW_REASONS, UNWRITABLE


class FileUnreadable(DomainError):
    """The file as a whole cannot be taken; nothing of it was. `reason` is a key of `FILE_REASONS`."""

    code = "FILE_UNREADABLE"

    def __init__(self, reason: str, **params: object) -> None:
        sentence = FILE_REASONS[reason].filled(params)
        super().__init__(sentence.en)
        self.params = {"reason": reason} | params
        self.reason = reason
        self.message_ja = sentence.ja
        self.message_en = sentence.en


class TextUnwritable(DomainError):
    """A text holds a character that the file's encoding lacks; nothing was written."""

    def __init__(self, text: str, character: str, encoding: str) -> None:
        params = {"text": text, "character": character, "encoding": encoding}
        sentence = UNWRITABLE.filled(params)
        super().__init__(sentence.en)
        self.params = params
        self.message_ja = sentence.ja
        self.message_en = sentence.en


@dataclass(frozen=True, slots=True)
class RowError:
    """One row that was not taken, and why. `line` is the physical line of `file` where the row begins, from 1;
    `field` is the column's name in that file ("" for the row as a whole); `code` is a key of `ROW_REASONS`."""

    file: str
    line: int
    field: str
    code: str
    message_ja: str
    message_en: str
    params: Mapping[str, str]


class RowRefused(Exception):
    """Raised while one row is understood; becomes its `RowError`."""

    def __init__(self, code: str, column: str = "", **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.column = column
        self.params = {name: str(value) for name, value in params.items()}

    def at(self, file: str, line: int) -> RowError:
        params = self.params | ({"column": self.column} if self.column else {})
        sentence = ROW_REASONS[self.code].filled(params)
        return RowError(file, line, self.column, self.code, sentence.ja, sentence.en, params)
