"""The read API for other systems of the state (VNeID and its like): transcripts of one person, for a purpose and with their consent."""
