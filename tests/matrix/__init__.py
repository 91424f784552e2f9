"""What every field of the schema shows, to everybody in every way."""
