"""One module per vendor API: pure functions and tables, no I/O. ``registry`` is the table of them."""
