"""The CDS Hooks protocol: services, discovery, requests and answers."""
