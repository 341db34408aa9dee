"""When a licence key ends (fact sheet §1)."""

from datetime import datetime

from starlette.responses import JSONResponse, Response

from integrations.sandbox.core import Call
from integrations.sandbox.rakuten.mall import JST, errors, switched_on


async def expiry_date(call: Call) -> Response:
    """Japanese time without a zone, as the mall writes it."""
    switched_on(call)
    if call.request.query_params.get("licenseKey") != call.shop.credentials["license_key"]:
        return errors(404, ("GE0014", "Not Found", "licenseKey"))
    expires = datetime.fromisoformat(call.shop.credentials["license_expires_at"])
    return JSONResponse({"expiryDate": f"{expires.astimezone(JST):%Y-%m-%dT%H:%M:%S}"})
