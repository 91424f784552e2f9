"""What the API does: use cases over one snapshot. Values in, values out; no HTTP, no GraphQL, no SQL."""
