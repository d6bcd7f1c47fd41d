"""The statement of a fund over a period: both ledgers on one page, as XLSX and as PDF."""
