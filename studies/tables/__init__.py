"""The paper's tables again: what to run for each row, running it once, and printing it beside the paper's figures."""
