"""Monitoring that components contribute: scrape targets, alerts and dashboards."""
