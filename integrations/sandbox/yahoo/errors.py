"""The errors of Yahoo's store API, by code (fact sheet §1, §2, §4, §6)."""

from starlette.responses import Response

from integrations.sandbox.yahoo.markup import answer, element, error

ERRORS = {
    "st-02100": (400, "seller_id is invalid."),
    "st-02101": (400, "item_code is invalid."),
    "st-02102": (400, "Too many item_code."),
    "st-02103": (400, "item_code is duplicated."),
    "st-02104": (400, "quantity is invalid."),
    "st-02105": (400, "The count of quantity does not match item_code."),
    "st-02106": (400, "allow_overdraft is invalid."),
    "st-02107": (400, "The count of allow_overdraft does not match item_code."),
    "st-02999": (500, "System error."),
    "ed-00001": (500, "System error."),
    "ed-00002": (503, "Under maintenance."),
    "ed-00003": (400, "Store account is required."),
    "ed-00004": (400, "Store account is unknown."),
    "ed-00005": (400, "Store account is invalid."),
    "px-04001": (400, "A parameter is missing."),
    "px-04102": (
        401,
        "AccessToken has been expired. This API session is shorter than another API.",
    ),
    "px-04303": (403, "This application is not approved for this API."),
    "px-04306": (403, "The source IP address is not registered."),
    "px-04307": (403, "This API is not permitted."),
    "od90101": (400, "Bad Request."),
    "od91001": (500, "Internal Server Error."),
}
PUBLISHING = "publishing"
PUBLISHING_WORDS = "反映またはアップロード中のため更新ができません"


def by_code(code: str, words: str = "") -> Response:
    """The documented refusal; `publishing`, whose code nobody has seen, has none."""
    if code == PUBLISHING:
        return error(400, "", PUBLISHING_WORDS)
    status, documented = ERRORS.get(code, (500, "System error."))
    return error(status, code, words or documented)


def not_existing(number: str) -> Response:
    return error(404, "od91801", f"Not Exists : {number}")


def forbidden() -> Response:
    """Too many calls, of the second or of the day."""
    return error(403, "", "Your Request was Forbidden")


def bad_token(reason: str, words: str) -> Response:
    """A Bearer token that is not taken: the reason is in the header, the body has no code."""
    challenge = f'Bearer realm="yahooapis.jp", error="{reason}", error_description="{words}"'
    body = element("Error", {"Message": f"Please provide valid credentials. {challenge}"})
    return answer(body, 401, {"WWW-Authenticate": challenge})
