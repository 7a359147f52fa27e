"""What every study has: the layout of its results, the steps that make them, the sections of its report."""
