"""One module per outside format: what enters the graph from files, and what leaves it as files."""
