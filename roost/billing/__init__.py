"""Money: what a session costs, payments, and receipts that an insurer accepts."""
