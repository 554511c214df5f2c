"""The SMART authorization server of the sandbox (SMART App Launch 2.2), on Authlib's: see `authorization.Authorization`."""
