"""The tests: one package, so that each module of theirs is imported under one name."""
