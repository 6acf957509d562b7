"""Figures of what functional maps do: from analysed photos to descriptions of pages."""
