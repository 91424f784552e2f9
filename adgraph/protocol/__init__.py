"""What HTTP and sockets share: requests as data, refusals, media types, origins. Opens and runs nothing."""
