"""Answers that are files: tables as CSV and XLSX, papers, and the names they are saved by."""
