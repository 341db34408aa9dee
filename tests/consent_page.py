"""A mall's page on which a seller consents, as a browser goes through it."""

from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import httpx


async def pressed(browser: httpx.AsyncClient, url: str, button: str) -> dict[str, list[str]]:
    """What the mall sends back with the browser when the button of this value was pressed."""
    form = Form(button)
    form.feed((await browser.get(url)).text)
    answer = await browser.post(url, data=form.values)
    assert answer.is_redirect, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)


class Form(HTMLParser):
    """What a browser sends when the button of this value is pressed."""

    def __init__(self, pressed: str) -> None:
        super().__init__()
        self.pressed = pressed
        self.values: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {key: value or "" for key, value in attrs}
        if tag == "input" or (tag == "button" and told.get("value") == self.pressed):
            self.values[told["name"]] = told["value"]
