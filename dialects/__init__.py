"""The dialects: `elemwise` and `tensor` (level 1), `loops` (level 2), and their light
signatures.
"""
