"""What the soak does to a gateway, and what it watches meanwhile."""
