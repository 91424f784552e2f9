"""Other servers over the same data: what adgraph is compared with. None of them uses adgraph's resolvers."""
