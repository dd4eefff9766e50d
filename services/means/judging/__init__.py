"""What signatures are worth: in documents of this system, and in whatever else somebody brings. Nothing is fetched."""
