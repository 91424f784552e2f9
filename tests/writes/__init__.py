"""What must hold of all mutations together: who may, what no sequence can gain, and what happens at once."""
