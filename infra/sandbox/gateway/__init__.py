"""Sandbox national gateway: takes signed packages of transcripts, validates them independently and calls back."""
