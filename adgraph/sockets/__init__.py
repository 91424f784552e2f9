"""Subscriptions, and everything else, over a WebSocket."""
