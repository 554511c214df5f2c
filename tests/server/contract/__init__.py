"""The public contract: schemas, OpenAPI, and the rules that every answer keeps."""
