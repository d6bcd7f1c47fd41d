"""The office's money: a double-entry ledger in whole đồng, posted on arrival, never edited."""
