"""The lists that an office hands to the insurer: D05-TS (voluntary) and D03-TS (household health)."""
