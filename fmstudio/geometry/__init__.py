"""Pure geometry on arrays: pixels, patches, points, masks, metrics.

No torch, no Qt, no files. Coordinates are ``xy`` pixels, x right, y down, with pixel
``(column, row)`` covering ``[column, column + 1) x [row, row + 1)``: see ``grid``.
"""
