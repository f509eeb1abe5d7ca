"""What is shown of reports and KPIs."""
