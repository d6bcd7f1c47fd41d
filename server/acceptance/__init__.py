"""The pages of acceptance (nghiệm thu): periods, statements, adjustments, tablets given up."""
