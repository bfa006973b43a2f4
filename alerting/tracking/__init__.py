"""Receipts applied, tallies and reports: who was reached, region by region, while it happens."""
