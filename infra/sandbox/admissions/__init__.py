"""Sandbox admissions portal ("Cổng Tuyển sinh"): takes transcripts of final grades and gives signed receipts."""
