"""Receipts applied, tallies and reports: who was reached, region by region, while it happens."""

from alerting.tracking.receipts import record
from alerting.tracking.reports import Count, Report, Row, deliveries, report

__all__ = ["Count", "Report", "Row", "deliveries", "record", "report"]
