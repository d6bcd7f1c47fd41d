"""The participant register: who is insured under which scheme until when, as of a day."""
