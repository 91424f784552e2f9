"""What the server tells of itself: log, numbers, traces. Names nobody, keeps no secret."""
