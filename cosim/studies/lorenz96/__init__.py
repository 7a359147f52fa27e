"""The Lorenz96 twin."""
