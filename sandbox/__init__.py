"""Where to try it: a small EHR with synthetic patients, which knows the service over HTTP only."""
