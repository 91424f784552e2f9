"""What is kept: records, tables, transactions, reads and writes. The only room that speaks SQL."""
