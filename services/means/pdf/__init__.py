"""PDF files at the level of their bytes, as signing writes and judging reads them."""
