"""Pages over the participant register and over figures from outside. They only look."""
