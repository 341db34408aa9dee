"""Yahoo! Shopping's store API and Yahoo! ID連携 v2 as the fact sheet describes them.

Shop credentials: `client_id`, `client_secret`, `refresh_token` ("" before the first consent), `consented_at`,
`public_key` (PEM), `key_version`, `key_expires_at`; `private_key` stays with the mall. Give `client_id` to let shops
share one application.
Shop settings: `access_life`, `session_life`, `refresh_life` (seconds, real time), `rotate_refresh` (a refresh answers
a new refresh token), `order_api` (false: not approved), `allowed_addresses` (registered source IPs of the order API),
`calls_a_day` (of the application), `display_delay`, `order_delay` (delayed publication), `limits`.
Item attributes: `overdraft` (超過購入), `keep_stock` (在庫戻し), `stock_close`, `category`, `display`, `editing`;
`ghost` marks stock of a code that is not registered.
Order status: OrderStatus as text, "0" to "5"; order details: `seen`, `pay_status`, `ship_status`, `auction_id`,
`parent`, `children`. A cancel with the reason "stock_out" closes the items (stock-close).
"""

from integrations.sandbox.yahoo.mall import Yahoo
from integrations.sandbox.yahoo.routes import routes

__all__ = ["Yahoo", "routes"]
