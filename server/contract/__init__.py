"""The public contract: JSON Schemas, OpenAPI, and the table of requirements that tests are traced to."""
