"""The report: one figure a module, and the page that holds them."""
