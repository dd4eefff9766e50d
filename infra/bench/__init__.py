"""`make bench`: what the system does in a given time, each figure beside a plain script that does the same with the same libraries."""
