"""All cells, by subject and in the order of the tables."""
from harness import cells_http1, cells_http2, cells_tls


def all_cells():
    return cells_http1.cells() + cells_tls.cells() + cells_http2.cells()
