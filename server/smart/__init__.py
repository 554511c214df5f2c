"""The SMART app: launched from an EHR, it shows the whole reasoning for one patient (SMART App Launch 2.2)."""
