"""HTTP: the endpoint behind /graphql, the connections it is reached by, the IDE page."""
