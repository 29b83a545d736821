// A module for report.mjs to load.
