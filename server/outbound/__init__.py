"""Every connection that the service opens goes through `server.outbound.http`."""
