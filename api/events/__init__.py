"""Following live: the changed nodes, frame by frame, in the order in which the changes were committed."""
