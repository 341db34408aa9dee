"""Measurements that one run makes of two ways, side by side."""
