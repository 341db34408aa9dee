"""Amazon.co.jp through the Selling Partner API. `connector.Amazon` keeps the `Mall` protocol."""
