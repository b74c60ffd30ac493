"""Labels and scores of expressions, from action units or from the points of a face."""
