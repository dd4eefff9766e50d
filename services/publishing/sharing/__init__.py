"""Links by which a school shares sealed transcripts for a time, on a recorded request, and takes them back."""
