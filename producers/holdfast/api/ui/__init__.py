"""The dashboard: pages that this process renders, one style sheet, one small script, and nothing from elsewhere."""
