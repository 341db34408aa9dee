"""The explorer that a browser meets at /graphql: GraphiQL from this package, nothing from elsewhere."""

from pathlib import Path

from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src data:; img-src 'self' data:; "
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def page() -> FileResponse:
    headers = {"content-security-policy": POLICY, "vary": "Accept", "cache-control": "no-cache"}
    return FileResponse(STATIC / "index.html", headers=headers)


def files() -> StaticFiles:
    """Its scripts and styles; to be mounted at /graphiql."""
    return StaticFiles(directory=STATIC)
