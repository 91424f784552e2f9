"""How an operation is run: document, caller, snapshot, budget, thread."""
