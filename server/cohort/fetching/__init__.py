"""`cohort fetch`: an EHR's Bulk Data export, fetched whole into a folder that a cohort run reads (A-24)."""
