"""How a benchmark reports: line by line, also into a file that somebody follows."""


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201
