"""Pictures as arrays: overlays, contact sheets, pair sheets, colour maps.

Arrays in, arrays out: no files, no torch, no Qt. Colours are 8-bit RGB.
"""
