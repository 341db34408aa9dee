"""Rakuten Ichiba as its fact sheet describes it: inventory API 2.0/2.1, order API, item search, licence keys.

Shop credentials: `service_secret`, `license_key`, `license_expires_at` (ISO 8601), `active_from` (ISO 8601).
Shop settings: `disabled_apis` (areas not switched on: stock, orders, catalogue, license),
`activation_delay` (seconds until a renewed key is recognised), `display_delay`, `order_delay`, `limits`.
Item attributes: `restock_on_cancel` (在庫戻し), `overdraft` (orders accepted at 0), `unlimited`, `hidden`,
`item_number`, `merchant_sku` (システム連携用SKU番号), `item_type`; `ghost` marks stock of an unknown SKU.
Order status: orderProgress as text, "100" to "900".
"""

from integrations.sandbox.rakuten.mall import Rakuten
from integrations.sandbox.rakuten.routes import routes

__all__ = ["Rakuten", "routes"]
