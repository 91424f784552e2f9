"""Measuring adgraph beside its peers: `make bench`. Nothing here gates on absolute times."""
