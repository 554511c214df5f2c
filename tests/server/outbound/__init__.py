"""Every connection that the service opens."""
