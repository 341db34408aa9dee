"""What Renkei exists for: rules (model), where they are kept (store), what we do (services)."""
