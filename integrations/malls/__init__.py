"""One connector a mall."""
