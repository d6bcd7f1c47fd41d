"""Golden vectors: what both ends must compute alike, as plain JSON for clients in any language.

`make_vectors` writes the files; tests/contracts/test_vectors.py runs them. Nothing in them is
anybody's: numbers of persons start with a province code that does not exist, keys are 1, 2, 3.
"""
