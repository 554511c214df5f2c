"""On the path of the service that looks for canaries."""
