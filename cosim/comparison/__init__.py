"""The board against torch: errors, clamp hits, lag, stability, and what the solver adds."""
