"""Small worlds that once were answered wrongly, each with the truth worked out by hand."""
