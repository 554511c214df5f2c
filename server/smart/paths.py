"""Where the app is, below the public URL of the service; EHRs have these typed in."""

LAUNCH_PATH = "/smart/launch"
CALLBACK_PATH = "/smart/callback"
PATIENT_PATH = "/smart/patient"
JWKS_PATH = "/.well-known/jwks.json"
