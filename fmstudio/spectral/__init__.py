"""Spectral geometry on images: graphs, Laplacians, eigenbases, functional maps.

SciPy builds and solves what is sparse and belongs to one image; torch does what is dense and
belongs to a pair. Nothing here knows files, images, networks or windows.
"""
