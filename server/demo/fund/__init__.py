"""The year of a fund in the demo: cards for what staff, companies and doors gave, to the last đồng."""
