"""What an operator does at the terminal, one file a noun."""
