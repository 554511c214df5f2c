"""The SMART app: launched from a card, from an EHR or standalone (SMART App Launch 2.2)."""
