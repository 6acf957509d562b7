"""The engine: a frozen request in, a stream of frozen proposals out. Knows no Qt and no project."""
