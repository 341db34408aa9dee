"""GraphQL over HTTP and WebSocket: how what we hold is shown."""
