"""A whole school's way from the sector export to the national gateway, as its people go it, through the public APIs."""
