"""One package per vendor API: pure functions and tables, no I/O. ``registry`` finds them."""
