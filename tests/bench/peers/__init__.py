"""Other sync servers, measured in the same run over the same line with the same job."""
