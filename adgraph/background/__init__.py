"""What is done without being asked: the worker's steps, mail, billing."""
