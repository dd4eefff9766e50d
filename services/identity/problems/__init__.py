"""Problems that people report from any page, and the answers of those who look after the school."""
