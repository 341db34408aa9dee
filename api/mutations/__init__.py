"""What each mutation takes, does in its one transaction, and answers."""
